"""What quality control gives away: reports, exports, webhooks. All of it is masked, as what it is made of is."""

"""Roles, permissions, teams."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.access.permissions import GRANTS, PEOPLES_ROLES, Permission, Role, granted
from engine.access.principal import PersonId, Principal


def test_every_role_may_something_and_every_permission_is_somebodys() -> None:
    assert set(GRANTS) == set(Role)
    assert frozenset().union(*GRANTS.values()) == frozenset(Permission)


def test_a_silent_agent_may_answer_phrases_and_nothing_else() -> None:
    assert GRANTS[Role.SILENT_AGENT] == {Permission.ANSWER_PHRASES}


def test_who_manages_people_hears_no_call_and_who_hears_calls_manages_nobody() -> None:
    both = {Permission.MANAGE_PEOPLE, Permission.HEAR_CALLS}

    assert not [role for role in PEOPLES_ROLES if both <= GRANTS[role]]


@given(st.frozensets(st.sampled_from(Role)))
def test_roles_together_may_what_each_may_alone(roles: frozenset[Role]) -> None:
    assert granted(roles) == {one for role in roles for one in GRANTS[role]}


@given(st.frozensets(st.sampled_from(["cards", "loans"])), st.sampled_from(["cards", "loans", "fraud", None]))
def test_who_is_bound_to_teams_sees_theirs_alone(teams: frozenset[str], team: str | None) -> None:
    anna = Principal(PersonId("anna"), frozenset({Role.SUPERVISOR}), teams)

    assert anna.sees(team) == (not teams or team in teams)

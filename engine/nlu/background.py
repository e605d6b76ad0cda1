"""What people say that no call flow serves: stands in for out of scope where a flow's examples name little of it.

Written for this file, not collected. One language is enough, because the encoder is multilingual. Sentences that are
close to what a flow does serve are left out when it is trained (a cinema's line does want "what is on tonight").
"""

from __future__ import annotations

SMALL_TALK = (
    "what is the weather like tomorrow",
    "tell me a joke",
    "who won the football match last night",
    "how tall is that mountain",
    "play some music please",
    "what is the capital of Australia",
    "how do I bake bread",
    "set an alarm for seven in the morning",
    "who wrote that book",
    "what time is it in Tokyo",
    "how far is the moon",
    "what should I cook for dinner",
    "are you a robot",
    "do you have any pets",
    "what is the meaning of life",
    "which movie should I watch tonight",
    "how do I get to the airport",
    "can dogs eat chocolate",
    "who is the president",
    "what languages do they speak in Brazil",
    "how do I change a flat tyre",
    "book a table for two at a restaurant",
    "when does the next train leave",
    "what is the population of Canada",
    "I have a headache what should I take",
    "how old is that actor",
    "translate good morning into French",
    "what is the square root of eighty one",
    "how many calories are in a banana",
    "I am just calling to chat",
    "sorry I dialled the wrong number",
    "is anybody at home",
    "turn off the lights in the kitchen",
    "when was the telephone invented",
    "how do I remove a stain from a shirt",
    "which team leads the league",
    "what is the best laptop to buy",
    "is it going to rain at the weekend",
    "how do plants grow",
    "who painted this picture",
)

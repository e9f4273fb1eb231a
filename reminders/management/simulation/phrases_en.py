"""How people write in English, by what they mean. `{n}` is the number they give. Written for the simulation alone."""

from collections.abc import Mapping
from typing import Final

from reminders.management.simulation.meaning import Meaning

PHRASES: Final[Mapping[Meaning, tuple[str, ...]]] = {
    Meaning.NUMBER: (
        "{n}", "{n}", "{n}", "{n}/10", "{n} out of 10", "I'd say {n}", "about a {n}", "{n} thanks", "It's a {n}",
        "{n}.", "maybe {n}", "{n} right now", "Hi, {n}", "I would give it a {n}", "{n} today", "soreness is {n}",
    ),
    Meaning.NUMBER_LOW: (
        "{n}, much better", "{n} hardly notice it", "{n} all good", "down to {n}", "{n}! feeling great",
        "{n}, only a little when I press on it", "was a 7 last night, now {n}", "{n}, took 2 ibuprofen at 8",
    ),
    Meaning.NUMBER_HIGH: (
        "{n}, still sore", "{n} and it aches when I climb stairs", "still a {n}", "{n}, hurts to turn my head",
        "{n} pretty achy today", "it is a {n}, stiff and sore",
    ),
    Meaning.FINE: (
        "all good, no pain at all", "I feel great today", "feeling fine thank you", "no soreness anymore",
        "it's completely gone", "much better, thanks!", "good as new", "can't complain", "no pain whatsoever",
        "soreness is gone", "doing really well", "I'm fine :)", "pain free this morning", "great, not sore at all",
        "no pain since about 5 this morning", "all good, walked 6 miles today",
    ),
    Meaning.MILD: (
        "barely sore", "only slightly sore", "a tiny bit tender, nothing bad", "hardly feel it", "just a faint ache",
        "minimal soreness", "barely notice it", "very mild", "a tiny bit stiff", "almost nothing left",
    ),
    Meaning.SORE: (
        "still pretty sore", "it still hurts when I move", "not better yet", "same as yesterday honestly",
        "no change so far", "aches a lot", "quite sore today", "the muscle is still aching", "sore sore sore",
        "still hurting quite a bit", "about the same, hurts to reach up", "my leg is really sore",
        "hasn't let up yet",
    ),
    Meaning.VERY_SORE: (
        "it hurts like hell", "this is killing me", "really bad today, hurts a lot",
        "so so sore I could hardly sleep",
        "worse than yesterday", "it got worse overnight", "hurts as hell when I sit", "very painful all day",
    ),
    Meaning.BRUISE: (
        "fine, just a small bruise", "all good, tiny bruise where the needle was", "no pain, a little bruise only",
        "feeling good, small bruise on the spot",
    ),
    Meaning.QUESTION: (
        "can I go running tomorrow?", "when is my next appointment?", "is it ok to swim?",
        "could someone call me back?",
        "how long should I rest?", "can I move my visit to Friday?", "should I stretch before work?",
        "can I come at 4 instead?", "is it ok to run 5k on Saturday?", "do you take my insurance?",
        "what was the exercise called again?", "am I allowed to lift weights tonight?",
    ),
    Meaning.CHATTER: (
        "thanks!", "thank you so much", "hello", "ok got it", "good morning", "lol you guys are sweet", "👋",
        "got your message", "will do", "at work, will write later",
        "see you next week",
    ),
    Meaning.OPT_OUT: (
        "STOP", "stop", "Stop.", "please stop texting me", "unsubscribe", "take me off this list",
        "no more texts please",
        "I don't want these messages anymore", "quit", "how do I stop these texts",
    ),
    Meaning.TREND_BETTER: ("getting better", "a bit better now", "it's easing off", "improving slowly"),
    Meaning.TREND_SAME: ("about the same", "no change", "same", "hasn't changed"),
    Meaning.TREND_WORSE: ("it's getting worse", "worse", "a bit worse than this morning"),
    Meaning.DANGER: (
        "I can't catch my breath", "short of breath since last night", "sharp pain in my chest when I breathe in",
        "my chest feels tight", "{n} but it stabs when I take a deep breath", "is it normal that breathing hurts?",
        "I'm wheezing and coughing up blood", "the spot keeps bleeding and won't stop",
        "the bruise is getting bigger and hard", "my foot has gone numb and I can't lift it",
        "I passed out this morning",
        "almost fainted in the shower", "I have a fever of 102 and chills", "red streaks going up my arm",
        "there is pus coming out of it", "my lips and tongue are swelling", "broke out in hives all over",
        "I can't hold my pee since the treatment", "my hand won't open since yesterday, no strength in the wrist",
        "the skin is hot and red and it is spreading", "my wife says my face is drooping",
        "{n}, no fever but I can hardly breathe", "the pain is unbearable", "one of the needles is still in my back",
        "I had chest pain last night, it is gone now", "{n} thanks, though my throat feels like it is closing",
    ),
}  # fmt: skip

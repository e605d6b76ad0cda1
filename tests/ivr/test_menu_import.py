"""An existing key-press menu becomes a flow that passes the checker, or is refused with the line."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.dialogue.graph import End, Flow, Menu, NodeId, Transfer
from engine.ivr.menu_import import import_menu
from engine.ivr.parse import parse_flow
from engine.ivr.problems import FlowErrors

MENU = """\
// what the old system had
1 Cards (debit and credit cards)
  1 Block a card / lost or stolen card -> transfer:cards
  2 Order a card -> say:You can order a card in the app.
  3 Other questions -> transfer:cards
  * Back -> goto:top
2 For accounts, press 2
  1 Balance -> transfer:accounts
  2 Other questions -> transfer:accounts
  # Hear again -> goto:2
  0 Operator -> transfer:people
9 Good-bye -> end
0 Operator -> transfer:people
"""

RUSSIAN_MENU = """\
1 Чтобы узнать о картах, нажмите 1
\t1 Заблокировать карту / потеря карты → transfer:cards
\t2 Заказать карту → transfer:cards
2 Кредиты
\t1 Ипотека → transfer:loans
"""

CHINESE_MENU = "1 查询余额请按1 -> transfer:accounts\n2 挂失、冻结银行卡 -> transfer:cards\n0 人工 -> transfer:desk\n"


def imported(text: str, languages: str = "en") -> Flow:
    written = import_menu(text, "menu.txt", languages.split(","))
    return parse_flow(written, "imported.yaml", str)


def choices(flow: Flow, node: str) -> dict[str | None, str]:
    menu = flow.nodes[NodeId(node)]
    assert isinstance(menu, Menu)
    return {choice.key: choice.target for choice in menu.choices}


def test_the_keys_stay_what_they_were() -> None:
    flow = imported(MENU)

    assert choices(flow, "main") == {"1": "cards", "2": "accounts", "9": "good_bye", "0": "operator"}
    assert choices(flow, "cards") == {"1": "block_a_card", "2": "order_a_card", "3": "other_questions", "*": "main"}
    assert choices(flow, "accounts") == {"1": "balance", "2": "other_questions_2_2", "#": "accounts", "0": "operator"}


def test_every_entry_can_be_jumped_to_by_its_name() -> None:
    flow = imported(MENU)

    assert set(flow.intents.values()) == set(flow.nodes) - {"main"}
    assert flow.nodes[NodeId("block_a_card")].title == {ENGLISH: "Block a card"}
    assert flow.nodes[NodeId("block_a_card")].synonyms == {ENGLISH: ("lost or stolen card", "Block card")}
    assert flow.nodes[NodeId("cards")].synonyms == {ENGLISH: ("debit and credit cards",)}


def test_entries_of_the_same_name_are_called_with_their_menu() -> None:
    flow = imported(MENU)

    assert flow.nodes[NodeId("other_questions")].title == {ENGLISH: "Cards: Other questions"}
    assert flow.nodes[NodeId("other_questions_2_2")].title == {ENGLISH: "accounts: Other questions"}


def test_targets_become_nodes() -> None:
    flow = imported(MENU)
    operator = flow.nodes[flow.operator]

    assert isinstance(operator, Transfer)
    assert operator.destination == "people"
    assert isinstance(flow.nodes[NodeId("good_bye")], End)
    assert flow.nodes[NodeId("order_a_card")].prompts[0].texts == {ENGLISH: "You can order a card in the app."}


def test_a_menu_without_people_gets_an_operator() -> None:
    flow = imported("1 Cards -> transfer:cards\n")
    full = imported("1 Cards -> transfer:cards\n0 Loans -> transfer:loans\n")

    assert choices(flow, "main") == {"1": "cards", "0": "operator"}
    assert choices(full, "main") == {"1": "cards", "0": "loans", None: "operator"}


def test_russian_labels_lose_the_words_round_them() -> None:
    flow = imported(RUSSIAN_MENU, "ru")

    assert flow.nodes[NodeId("key_1")].title == {RUSSIAN: "узнать о картах"}
    assert flow.nodes[NodeId("key_1_1")].synonyms == {RUSSIAN: ("потеря карты",)}
    assert choices(flow, "key_2") == {"1": "key_2_1"}


def test_chinese_labels_lose_the_words_round_them() -> None:
    flow = imported(CHINESE_MENU, "zh")

    assert flow.nodes[NodeId("key_1")].title == {CHINESE: "查询余额"}
    assert flow.nodes[NodeId("key_2")].title == {CHINESE: "挂失"}
    assert flow.nodes[NodeId("key_2")].synonyms == {CHINESE: ("冻结银行卡",)}
    assert flow.operator == "key_0"


def test_labels_of_several_languages_stand_side_by_side() -> None:
    flow = imported(
        "1 Cards | Карты | 银行卡 -> say:Hello. | Привет. | 你好。\n0 Operator | Оператор | 人工 -> transfer:desk\n", "en,ru,zh"
    )

    assert flow.nodes[NodeId("cards")].title == {ENGLISH: "Cards", RUSSIAN: "Карты", CHINESE: "银行卡"}
    assert flow.nodes[NodeId("cards")].prompts[0].texts[CHINESE] == "你好。"


def test_csv_may_be_parted_by_semicolons_and_tabs() -> None:
    for delimiter in ";\t":
        text = "keys,label,target\n1,Cards,\n1>2,Block,transfer:cards\n".replace(",", delimiter)

        assert choices(imported(text), "cards") == {"2": "block"}


def test_a_spreadsheets_byte_order_mark_and_line_ends_do_no_harm() -> None:
    flow = imported("\ufeffkeys,label,target\r\n1,Cards,transfer:cards\r\n")

    assert choices(flow, "main")["1"] == "cards"


def test_the_first_menu_may_have_a_name_of_its_own() -> None:
    flow = imported("keys,label,target\n,Telephone banking,\n1,Cards,transfer:cards\n")

    assert flow.nodes[flow.start].title == {ENGLISH: "Telephone banking"}


def test_what_was_written_has_no_aliases_and_keeps_its_letters() -> None:
    written = import_menu(RUSSIAN_MENU, "menu.txt", ["ru"])

    assert "Ипотека" in written
    assert "&id" not in written
    assert next(iter(yaml.safe_load(written)["nodes"])) == "main"


@pytest.mark.parametrize(
    ("name", "languages", "text", "problem"),
    [
        ("nothing", "en", "", "menu:1:1: expected a menu as CSV or as indented text, found no entry"),
        ("no columns", "en", "keys,name,aim\n1,Cards,end\n", "menu:1:1: expected a column called label, found keys, name, aim"),
        (
            "no target column",
            "en",
            "keys,label,targt\n1,Cards,end\n",
            "menu:1:1: expected a column called target, found keys, label, targt",
        ),
        (
            "a comma too many",
            "en",
            "keys,label,target\n1,Cards, PINs,end\n",
            "menu:2:1: expected 3 columns, found 4; put a label that holds commas in quotes",
        ),
        ("an open quote", "en", 'keys,label,target\n1,"Cards,end\n', "menu:2:1: expected CSV, found unexpected end of data"),
        (
            "a strange key",
            "en",
            "keys,label,target\n1>x,Cards,end\n",
            "menu:2:1: expected keys of the pad, one after the other as in 1>3>2, found 'x'",
        ),
        (
            "keys run together",
            "en",
            "keys,label,target\n12,Cards,end\n",
            "menu:2:1: expected keys of the pad, one after the other as in 1>3>2, found '12'",
        ),
        (
            "a key twice",
            "en",
            "1 Cards -> end\n1 Loans -> end\n",
            "menu:2:1: expected each key once in a menu, found 1 again, first in line 1",
        ),
        (
            "a gap",
            "en",
            "keys,label,target\n1,Cards,\n1>1,Debit cards,end\n1>3>2,PIN,end\n",
            "menu:4:1: expected an entry for 1>3, which 1>3>2 lies in, found none",
        ),
        ("no label", "en", "keys,label,target\n1,,end\n", "menu:2:1: expected a label, found an empty one"),
        (
            "no target",
            "en",
            "1 Cards\n2 Loans -> end\n",
            "menu:1:1: expected a target (transfer:, say:, goto: or end) or entries below, found neither",
        ),
        (
            "a target on a menu",
            "en",
            "1 Cards -> end\n  1 Block -> end\n",
            "menu:1:1: expected no target, for this entry is a menu, found 'end'",
        ),
        (
            "a strange target",
            "en",
            "1 Cards -> tranfer:cards\n",
            "menu:1:1: expected a target: transfer:, say:, goto: or end, found 'tranfer:cards'; did you mean 'transfer:'?",
        ),
        ("an empty queue", "en", "1 Cards -> transfer:\n", "menu:1:1: expected something after transfer:, found nothing"),
        (
            "an indentation between",
            "en",
            "1 Cards\n    1 Block -> end\n  2 Order -> end\n",
            "menu:3:1: expected the indentation of a line above, or more of it, found 2 characters of it; indent with spaces only, or with tabs only",
        ),
        (
            "tabs after spaces",
            "en",
            "1 Cards\n  1 Debit\n\t\t\t1 Block -> end\n",
            "menu:3:1: expected the indentation of a line above, or more of it, found 3 characters of it; indent with spaces only, or with tabs only",
        ),
        ("a line without a label", "en", "1\n", "menu:1:1: expected a key, a label and perhaps -> and a target, found '1'"),
        ("a goto to nowhere", "en", "1 Cards -> goto:7\n", "menu:1:1: expected the keys of an entry, or top, found '7'"),
        (
            "a ring of gotos",
            "en",
            "1 Cards -> goto:2\n2 Loans -> goto:1\n",
            "menu:1:1: expected an entry that does something itself, found 'goto:2', which only leads on",
        ),
        (
            "a goto to itself",
            "en",
            "1 Cards -> goto:1\n",
            "menu:1:1: expected an entry that does something itself, found 'goto:1', which only leads on",
        ),
        (
            "a language too few",
            "en,ru",
            "1 Cards -> end\n",
            "menu:1:1: expected a label for each of en, ru, with | between, found 1",
        ),
        (
            "a text too few",
            "en,ru",
            "1 Cards | Карты -> say:Hello.\n",
            "menu:1:1: expected a text for each of en, ru, with | between, found 1",
        ),
        (
            "label column of one language",
            "en,ru",
            "keys,label_en,target\n1,Cards,end\n",
            "menu:1:1: expected a column called label_ru, found keys, label_en, target",
        ),
        (
            "two labels alike in one menu",
            "en",
            "1 Cards -> transfer:a\n2 Cards -> transfer:b\n",
            "menu:2:1: expected a label that nothing else in this menu has, found 'main menu: Cards', as in line 1",
        ),
        (
            "a language that is not built in",
            "ko",
            "1 Cards -> end\n",
            "menu:1:1: expected languages out of en, ru or zh, found ko",
        ),
    ],
)
def test_a_broken_menu_is_told_what_and_where(name: str, languages: str, text: str, problem: str) -> None:
    with pytest.raises(FlowErrors) as caught:
        import_menu(text, "menu", languages.split(","))

    assert str(caught.value.problems[0]) == problem


def test_all_broken_lines_are_told_at_once() -> None:
    with pytest.raises(FlowErrors) as caught:
        import_menu("1 Cards -> tranfer:cards\n2 Loans\n2 Savings -> end\n", "menu", ["en"])

    assert [problem.line for problem in caught.value.problems] == [1, 2, 3]


LABELS = st.text(alphabet="abcdefg ABC/()-{}:'", min_size=1, max_size=12).filter(lambda it: any(c.isalpha() for c in it))


@given(st.dictionaries(st.tuples(st.sampled_from("123*"), st.sampled_from("123#")), LABELS, min_size=1))
def test_whatever_is_imported_passes_the_checker(entries: dict[tuple[str, str], str]) -> None:
    lines = ["keys;label;target", *(f"{key};Menu {key};" for key in {first for first, _ in entries})]
    lines += [f"{first}>{second};{label};transfer:desk" for (first, second), label in entries.items()]
    try:
        flow = imported("\n".join(lines))
    except FlowErrors as error:
        assert all("a label that nothing else in this menu has" in str(problem) for problem in error.problems)  # noqa: PT017
        return

    assert set(flow.intents.values()) >= set(flow.nodes) - {"main"}

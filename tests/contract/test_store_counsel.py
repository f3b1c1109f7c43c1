"""Comments, consultations, secrecy checks and codes on every kind of database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from tests.contract.store_rows import HOUR, NOON, with_versions

from geowarn.domain.people import Role
from geowarn.domain.review import Comment, Consultation, SecrecyCheck, SignCode
from geowarn.store.unit_of_work import SqlStore

COMMENT = Comment("c-1", "w-1", "p-1", 1, "wang", NOON, "请核对地名")
TALK = Consultation(
    "h-1", "p-1", "d" * 64, "气象台 丁", NOON - HOUR, True, "同意", "wang", NOON, "console", "127.0.0.1"
)
CHECK = SecrecyCheck("k-1", "p-1", "d" * 64, "sun", Role.DISCLOSURE, NOON, "console", "127.0.0.1")
CODE = SignCode("K7QF2M9X", "a" * 64, "w-1", "p-1", "d" * 64, "li", "wang", NOON, NOON + HOUR)


def test_rows_read_back_as_written_in_order_of_time(any_store: SqlStore) -> None:
    later = replace(COMMENT, id="c-0", proposal_id="p-2", version=2, at=NOON + HOUR)
    no = replace(TALK, id="h-0", at=NOON + HOUR, agreed=False)
    again = replace(CHECK, id="k-0", at=NOON + HOUR)
    with any_store.begin() as work:
        with_versions(work, 1, 2)
        for made in (later, COMMENT):
            work.counsel.add_comment(made)
        for talk in (no, TALK):
            work.counsel.add_consultation(talk)
        for check in (again, CHECK):
            work.counsel.add_check(check)
        work.sign_codes.add(CODE)
        work.commit()
    with any_store.read() as work:
        assert work.counsel.comments("w-1") == (COMMENT, later)
        assert work.counsel.comments("w-2") == ()
        assert work.counsel.consultations("p-1") == (TALK, no)
        assert work.counsel.consultations("p-2") == ()
        assert work.counsel.checks("p-1") == (CHECK, again)
        assert work.sign_codes.get("K7QF2M9X") == CODE
        assert work.sign_codes.get("nothing") is None
        assert work.sign_codes.of_warning("w-1") == (CODE,)


def test_tries_are_counted_and_a_use_is_final(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        with_versions(work, 1)
        work.sign_codes.add(CODE)
        work.sign_codes.count_try(CODE.id)
        work.sign_codes.count_try(CODE.id)
        assert work.sign_codes.use(CODE.id, NOON + HOUR)
        assert not work.sign_codes.use(CODE.id, NOON + 2 * HOUR)
        work.commit()
    with any_store.read() as work:
        assert work.sign_codes.get(CODE.id) == replace(CODE, tries=2, used_at=NOON + HOUR)


def test_ending_leaves_used_codes_and_other_people_alone(any_store: SqlStore) -> None:
    others = (replace(CODE, id="B", user="sun"), replace(CODE, id="C", used_at=NOON), replace(CODE, id="D"))
    with any_store.begin() as work:
        with_versions(work, 1)
        for code in others:
            work.sign_codes.add(code)
        work.sign_codes.end("w-1", "li", NOON + HOUR / 2)
        work.commit()
    with any_store.read() as work:
        ends = {code.id: code.expires_at for code in work.sign_codes.of_warning("w-1")}
    assert ends == {"B": NOON + HOUR, "C": NOON + HOUR, "D": NOON + HOUR / 2}


def test_of_many_at_once_one_uses_the_code(shared_store: SqlStore) -> None:
    with shared_store.begin() as work:
        with_versions(work, 1)
        work.sign_codes.add(CODE)
        work.commit()

    def use(_: int) -> bool:
        with shared_store.begin() as work:
            assert work.sign_codes.get(CODE.id) is not None
            won = work.sign_codes.use(CODE.id, NOON)
            work.commit()
            return won

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, range(4))) == [False, False, False, True]

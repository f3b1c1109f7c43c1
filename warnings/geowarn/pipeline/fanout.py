"""A bulletin → one dispatch per channel and target, with its text, its place in the queue and its last moment.

Who gets what:

- website and any other channel without addressees: one target, "public";
- broadcast: every station; webhook: every partner;
- sms, issue, update and extend: every number with a level now, its highest; after an update also every number that
  was told of an earlier bulletin and has no level now: it gets the text `ended`, since it was told to act and
  would otherwise wait for an end that nobody announces;
- sms, lift, cancel and retract: exactly the numbers that were told before, each with the text of the level it had;
- mail: whoever subscribed to one of the areas at one of the levels, and every mailbox of channels.toml, likewise; every
  further bulletin goes to everybody who was told of an earlier one, whatever they subscribed to (`mail_texts`), until
  they were told that it ended for them.

An exercise goes to test targets only (house rule 10, the first of three places): numbers of the exercise group,
stations and partners marked as tests, and of other channels those that have test settings of their own. Real bulletins
never go to the exercise group. The lane and each channel look again. Whatever is real and due goes before all of it.

"Told before" is every dispatch of an earlier bulletin that went out or may have gone out (`told`). Numbers whose
message failed or was never sent are not told that a warning they never had is over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta

from geowarn.domain.area import Area
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.canonical import sha256_hex
from geowarn.domain.dispatch import Dispatch, DispatchState
from geowarn.domain.exercise import TARGET, in_group, is_exercise
from geowarn.domain.level import Level
from geowarn.domain.recipient import Recipient, addressees
from geowarn.domain.subscriber import MailTarget, mail_texts
from geowarn.domain.warning import Act
from geowarn.ports import Channel

PUBLIC = "public"
DROPPED = "ended"  # the SMS text for a number whose area an update no longer names
LONGEST_SHARD = 500
BELOW_REAL = 1000  # how far every message of an exercise stands behind every real one
ENDING = frozenset({Act.LIFT, Act.CANCEL, Act.RETRACT})
# News that a warning is over may still be told after the warning's own end.
ENDING_NOT_AFTER = timedelta(hours=6)

_TOLD = frozenset({DispatchState.SENDING, DispatchState.ACCEPTED, DispatchState.DELIVERED, DispatchState.IN_DOUBT})
_Chosen = tuple[str, str, int, int]  # target key, variant, tier, priority


def priority(level: Level, tier: int, ending: bool, addressed: bool = True) -> int:
    """Higher goes first: level, then tier; an ending above its own level's alert; files and feeds above all."""
    return 10 * level + 2 * (2 - tier) + (5 if ending else 0) + (0 if addressed else 100)


def is_red(dispatch: Dispatch) -> bool:
    """Whether this message carries the highest level, where a duplicate beats silence."""
    return _code(dispatch) == Level.RED.code


def dispatch_id(bulletin_id: str, channel: str, target_key: str) -> str:
    """The identity of a dispatch: the same bulletin, channel and target always give the same id."""
    return sha256_hex(f"{bulletin_id}|{channel}|{target_key}")[:24]


def dispatches_for(
    bulletin: Bulletin,
    *,
    channels: Mapping[str, Channel],
    recipients: Iterable[Recipient],
    areas: Mapping[str, Area],
    stations: Iterable[str],
    partners: Iterable[str] = (),
    earlier: Iterable[Dispatch],
    publish_from: Level,
    release_at: datetime,
    trials: Collection[tuple[str, str]] = frozenset(),
    mailing: Iterable[MailTarget] = (),
) -> tuple[Dispatch, ...]:
    """Every dispatch of a bulletin; a channel that has no file in it gets none.

    `trials` names the (channel, target) pairs that are marked as tests.
    """
    before, exercise = tuple(earlier), is_exercise(bulletin)
    group = [recipient for recipient in recipients if in_group(recipient) is exercise]
    found: list[Dispatch] = []
    for name, channel in channels.items():
        paths = sorted(path for path in bulletin.artefacts if path.startswith(f"{name}/"))
        if not paths:
            continue
        if name == "sms":
            chosen = _numbers(bulletin, paths, group, areas, _told(before, name), publish_from)
        elif name == "mail":
            wanted = [target for target in mailing if (target.trial if exercise else not target.group)]
            chosen = _mailboxes(bulletin, paths, wanted, areas, _told(before, name), publish_from)
        else:
            keys = {"broadcast": tuple(stations), "webhook": tuple(partners)}.get(name, (PUBLIC,))
            keys = _trial_keys(channel, keys, trials) if exercise else keys
            rank = priority(bulletin.content.highest, 2, bulletin.act in ENDING, addressed=False)
            chosen = [(key, paths[0], 0, rank) for key in keys]
        batch = min(LONGEST_SHARD, channel.limits.batch)
        found += _rows(bulletin, name, chosen, batch, release_at)
    return tuple(found)


def _trial_keys(channel: Channel, keys: tuple[str, ...], trials: Collection[tuple[str, str]]) -> tuple[str, ...]:
    if keys == (PUBLIC,):
        return (TARGET,) if channel.limits.exercises else ()
    return tuple(key for key in keys if (channel.name, key) in trials)


def _told(earlier: Iterable[Dispatch], channel: str) -> dict[str, Dispatch]:
    """The newest message each target of a channel was or may have been given."""
    newest: dict[str, Dispatch] = {}
    for dispatch in earlier:
        if dispatch.channel != channel or dispatch.state not in _TOLD:
            continue
        held = newest.get(dispatch.target_key)
        if held is None or dispatch.release_at >= held.release_at:
            newest[dispatch.target_key] = dispatch
    return newest


def _numbers(
    bulletin: Bulletin,
    paths: list[str],
    recipients: Iterable[Recipient],
    areas: Mapping[str, Area],
    told: Mapping[str, Dispatch],
    publish_from: Level,
) -> list[_Chosen]:
    told = _still_told(bulletin, told)
    if bulletin.act in ENDING:
        return [_again(dispatch, paths) for dispatch in told.values()]
    public = {area.code: area.level for area in bulletin.content.at_or_above(publish_from)}
    reached = addressees(recipients, public, areas)
    chosen = [
        (
            entry.recipient.phone_key,
            f"sms/{entry.level.code}.{entry.recipient.language}.txt",
            entry.tier,
            priority(entry.level, entry.tier, ending=False),
        )
        for entry in reached
    ]
    if not _has_dropped(paths):
        return chosen
    keys = {key for key, *_ in chosen}
    return chosen + [_dropped(dispatch, paths) for key, dispatch in told.items() if key not in keys]


def _mailboxes(
    bulletin: Bulletin,
    paths: list[str],
    targets: Iterable[MailTarget],
    areas: Mapping[str, Area],
    told: Mapping[str, Dispatch],
    publish_from: Level,
) -> list[_Chosen]:
    """Only those who still subscribe."""
    wanted, told = {target.key: target for target in targets}, _still_told(bulletin, told)
    texts = [path for path in paths if path.endswith(".txt")]
    if bulletin.act in ENDING:
        return [_again(dispatch, texts) for key, dispatch in told.items() if key in wanted]
    public = {area.code: area.level for area in bulletin.content.at_or_above(publish_from)}
    chosen: list[_Chosen] = []
    for found in mail_texts(wanted.values(), public, told, areas):
        target, level = found.target, found.level
        if level is None and not _has_dropped(texts):  # no text of this bulletin is theirs
            continue
        variant = _named("mail", level.code if level is not None else DROPPED, target.wish.language, texts)
        rank = priority(level or Level.YELLOW, target.tier, ending=level is None)
        chosen.append((target.key, variant, target.tier, rank))
    return chosen


def _still_told(bulletin: Bulletin, told: Mapping[str, Dispatch]) -> Mapping[str, Dispatch]:
    """Whoever was told that it ended is not told so twice, only that all of it was wrong."""
    if bulletin.act is Act.RETRACT:
        return told
    return {key: dispatch for key, dispatch in told.items() if _code(dispatch) != DROPPED}


def _has_dropped(paths: Iterable[str]) -> bool:
    return any(_code_of(path) == DROPPED for path in paths)


def _code(dispatch: Dispatch) -> str:
    return _code_of(dispatch.variant)


def _code_of(path: str) -> str:
    return path.split("/")[-1].split(".")[0]


def _dropped(dispatch: Dispatch, paths: list[str]) -> _Chosen:
    variant = _variant(DROPPED, dispatch.variant, paths)
    return dispatch.target_key, variant, dispatch.tier, priority(Level.YELLOW, dispatch.tier, ending=True)


def _again(dispatch: Dispatch, paths: list[str]) -> _Chosen:
    code = _code(dispatch)
    level = Level.YELLOW if code == DROPPED else Level.parse(code)
    variant = _variant(code, dispatch.variant, paths)
    return dispatch.target_key, variant, dispatch.tier, priority(level, dispatch.tier, ending=True)


def _variant(code: str, held: str, paths: list[str]) -> str:
    """The file for this text in the language the number had; a level the bulletin no longer names takes its first."""
    return _named(held.split("/")[0], code, held.split(".")[-2], paths)


def _named(channel: str, code: str, language: str, paths: list[str]) -> str:
    wanted = f"{channel}/{code}.{language}.txt"
    return wanted if wanted in paths else next((p for p in paths if p.endswith(f".{language}.txt")), paths[0])


def _rows(
    bulletin: Bulletin, channel: str, chosen: Iterable[_Chosen], batch: int, release_at: datetime
) -> Iterable[Dispatch]:
    not_after = bulletin.content.expires
    if bulletin.act in ENDING:
        not_after = max(not_after, release_at + ENDING_NOT_AFTER)
    seats: dict[tuple[int, int], int] = defaultdict(int)
    behind = BELOW_REAL if is_exercise(bulletin) else 0
    for key, variant, tier, among in chosen:
        rank = among - behind
        seat = seats[rank, tier]
        seats[rank, tier] += 1
        yield Dispatch(
            id=dispatch_id(bulletin.id, channel, key),
            bulletin_id=bulletin.id,
            channel=channel,
            target_key=key,
            variant=variant,
            tier=tier,
            shard=f"{bulletin.id}:{channel}:{rank:03d}:{tier}:{seat // batch:04d}",
            priority=rank,
            release_at=release_at,
            not_after=not_after,
        )


def time_to_last(dispatches: Iterable[Dispatch], units_per_second: float, units: Callable[[str], int]) -> timedelta:
    """How long the sender needs for all of these; `units` gives the segments of a variant."""
    total = sum(units(dispatch.variant) for dispatch in dispatches)
    return timedelta(seconds=total / units_per_second)

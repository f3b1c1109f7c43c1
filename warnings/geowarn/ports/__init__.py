"""What the line needs from outside: clock, store, readers, models, channels. Adapters import this and the domain."""

from geowarn.ports.calls import Calls, Contacts
from geowarn.ports.channels import (
    BulletinDraft,
    Channel,
    ChannelContext,
    Delivery,
    Limits,
    Measure,
    Message,
    Publisher,
    Receipt,
    Reconciling,
    Sealing,
    Target,
)
from geowarn.ports.clock import Emergencies, Emergency, Escalations, Rung
from geowarn.ports.counsel import Counsel, SignCodes
from geowarn.ports.dispatches import Dispatches, DispatchGroup, Recipients, ShardProgress
from geowarn.ports.exercises import Exercises
from geowarn.ports.identity import Factors, Invitations, OutsideWarnings, PendingChanges
from geowarn.ports.inputs import (
    Activation,
    Areas,
    Assessments,
    CompanionAlert,
    CompanionAlerts,
    Forecasts,
    Rules,
    SourceEvent,
    SourceEvents,
)
from geowarn.ports.levels import AlertReader, ConfigurableReader, Errand, Fetcher, Haul, HazardModel, Rain, Reader
from geowarn.ports.mail import Letter, Letters, Postman, Subscribers
from geowarn.ports.notices import Notices, Pager
from geowarn.ports.operation import Counters, Ledger, Poll, Stations, Tasks, Ticks
from geowarn.ports.partners import (
    AnsweredRequest,
    AnsweredRequests,
    ApiKeys,
    HookAnswer,
    HookAttempt,
    HookCall,
    HookPost,
    Hooks,
)
from geowarn.ports.people import Session, Sessions, Shifts, Users
from geowarn.ports.review import Bulletins, Incidents, Proposals, SignOffs, Warnings
from geowarn.ports.roster import Roster
from geowarn.ports.search import Narrowed, SearchIndex
from geowarn.ports.site import PublishedBulletin, PublishedIncident, SiteState
from geowarn.ports.surroundings import Clock, PasswordHasher, Templates, Vault
from geowarn.ports.voices import VoiceChoice, Voices
from geowarn.ports.work import Store, UnitOfWork

__all__ = [
    "Activation",
    "AlertReader",
    "AnsweredRequest",
    "AnsweredRequests",
    "ApiKeys",
    "Areas",
    "Assessments",
    "BulletinDraft",
    "Bulletins",
    "Calls",
    "Channel",
    "ChannelContext",
    "Clock",
    "CompanionAlert",
    "CompanionAlerts",
    "ConfigurableReader",
    "Contacts",
    "Counsel",
    "Counters",
    "Delivery",
    "DispatchGroup",
    "Dispatches",
    "Emergencies",
    "Emergency",
    "Errand",
    "Escalations",
    "Exercises",
    "Factors",
    "Fetcher",
    "Forecasts",
    "Haul",
    "HazardModel",
    "HookAnswer",
    "HookAttempt",
    "HookCall",
    "HookPost",
    "Hooks",
    "Incidents",
    "Invitations",
    "Ledger",
    "Letter",
    "Letters",
    "Limits",
    "Measure",
    "Message",
    "Narrowed",
    "Notices",
    "OutsideWarnings",
    "Pager",
    "PasswordHasher",
    "PendingChanges",
    "Poll",
    "Postman",
    "Proposals",
    "PublishedBulletin",
    "PublishedIncident",
    "Publisher",
    "Rain",
    "Reader",
    "Receipt",
    "Recipients",
    "Reconciling",
    "Roster",
    "Rules",
    "Rung",
    "Sealing",
    "SearchIndex",
    "Session",
    "Sessions",
    "ShardProgress",
    "Shifts",
    "SignCodes",
    "SignOffs",
    "SiteState",
    "SourceEvent",
    "SourceEvents",
    "Stations",
    "Store",
    "Subscribers",
    "Target",
    "Tasks",
    "Templates",
    "Ticks",
    "UnitOfWork",
    "Users",
    "Vault",
    "VoiceChoice",
    "Voices",
    "Warnings",
]

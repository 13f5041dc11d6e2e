"""What actions, patterns and findings are called. An action of an app that is not ours is shown by its own name."""

from collections.abc import Callable, Mapping

from athanor.apps.security.domain.patterns import Kind
from athanor.apps.security.services.posture import Concern, Finding
from athanor.web.formatting import NOTHING
from athanor.web.language import _

# By action: a text in the language that is spoken when it is called.
ACTIONS: Mapping[str, Callable[[], str]] = {
    "identity.signed-in": lambda: _("Sign-in"),
    "identity.signed-out": lambda: _("Signed out"),
    "identity.sign-in-refused": lambda: _("Sign-in refused"),
    "identity.session-ended": lambda: _("Session ended"),
    "identity.sessions-ended": lambda: _("Other sessions ended"),
    "identity.lock-lifted": lambda: _("Lock of a login lifted"),
    "identity.permission-refused": lambda: _("Permission refused"),
    "identity.user-created": lambda: _("Account made"),
    "identity.user-changed": lambda: _("Account changed"),
    "identity.user-disabled": lambda: _("Account disabled"),
    "identity.user-enabled": lambda: _("Account enabled"),
    "identity.password-set": lambda: _("Password set"),
    "identity.second-factor-set-up": lambda: _("Second factor set up"),
    "identity.second-factor-removed": lambda: _("Second factor removed"),
    "identity.recovery-code-used": lambda: _("Recovery code used"),
    "identity.invited": lambda: _("Invitation made"),
    "identity.invitation-taken": lambda: _("Invitation taken"),
    "identity.invitation-withdrawn": lambda: _("Invitation withdrawn"),
    "identity.role-kept": lambda: _("Role made or changed"),
    "identity.role-removed": lambda: _("Role removed"),
    "identity.department-made": lambda: _("Department made"),
    "identity.department-moved": lambda: _("Department moved"),
    "identity.department-renamed": lambda: _("Department renamed"),
    "identity.department-removed": lambda: _("Department removed"),
    "identity.token-made": lambda: _("Token of a program made"),
    "identity.token-revoked": lambda: _("Token of a program revoked"),
    "identity.edge-token-made": lambda: _("Token of an edge made"),
    "identity.grant-made": lambda: _("Enterprise's data opened to another"),
    "identity.grant-revoked": lambda: _("Opening of an enterprise's data revoked"),
    "people.exported": lambda: _("List of people exported"),
    "data.import-begun": lambda: _("Import begun"),
    "data.history-imported": lambda: _("History imported"),
    "data.exported": lambda: _("Data exported"),
    "alarms.report-exported": lambda: _("Report on alarms exported"),
    "alarms.rule-made": lambda: _("Alarm rule made"),
    "alarms.rule-changed": lambda: _("Alarm rule changed"),
    "alarms.rule-retired": lambda: _("Alarm rule retired"),
    "alarms.rules-imported": lambda: _("Alarm rules imported"),
    "alarms.rules-exported": lambda: _("Alarm rules exported"),
    "alarms.exported": lambda: _("Past alarms exported"),
    "alarms.acknowledged": lambda: _("Alarms acknowledged"),
    "alarms.reset": lambda: _("Latched alarms reset"),
    "alarms.shelved": lambda: _("Alarms shelved"),
    "alarms.unshelved": lambda: _("Shelving of alarms ended"),
    "alarms.removed-from-service": lambda: _("Alarms taken out of service"),
    "alarms.returned-to-service": lambda: _("Alarms returned to service"),
    "alarms.commented": lambda: _("Alarm commented"),
    "exchange.product-published": lambda: _("Data product published"),
    "exchange.product-changed": lambda: _("Data product changed"),
    "exchange.product-withdrawn": lambda: _("Data product withdrawn"),
    "exchange.access-requested": lambda: _("Access to a data product asked for"),
    "exchange.access-approved": lambda: _("Access to a data product approved"),
    "exchange.access-refused": lambda: _("Access to a data product refused"),
    "exchange.access-revoked": lambda: _("Access to a data product revoked"),
    "exchange.token-made": lambda: _("Token for a data product made"),
    "exchange.token-revoked": lambda: _("Token for a data product revoked"),
    "exchange.calls-counted": lambda: _("Calls of a data product counted"),
    "cases.opened": lambda: _("Incident opened"),
    "cases.joined": lambda: _("Incident joined"),
    "cases.assigned": lambda: _("Incident assigned"),
    "cases.started": lambda: _("Work on an incident begun"),
    "cases.said": lambda: _("Said in an incident"),
    "cases.evidence": lambda: _("Evidence brought into an incident"),
    "cases.resolved": lambda: _("Incident resolved"),
    "cases.sent-back": lambda: _("Incident sent back"),
    "cases.closed": lambda: _("Incident closed"),
    "cases.reopened": lambda: _("Incident opened again"),
    "cases.task-given": lambda: _("Task given in an incident"),
    "cases.task-done": lambda: _("Task of an incident done"),
    "cases.task-dropped": lambda: _("Task of an incident dropped"),
    "notify.channel-made": lambda: _("Notification channel made"),
    "notify.channel-changed": lambda: _("Notification channel changed"),
    "notify.channel-retired": lambda: _("Notification channel retired"),
    "notify.channel-tested": lambda: _("Notification channel tested"),
    "notify.sent-again": lambda: _("Message sent again"),
    "notify.called-back": lambda: _("Message called back"),
    "notify.policy-kept": lambda: _("Notification policy kept"),
    "notify.policy-removed": lambda: _("Notification policy taken out of use"),
    "notify.roster-kept": lambda: _("Duty roster kept"),
    "notify.roster-removed": lambda: _("Duty roster taken out of use"),
    "notify.reach-changed": lambda: _("Own address for messages changed"),
    "notify.wishes-changed": lambda: _("Own quiet hours changed"),
    "historian.samples-corrected": lambda: _("Samples corrected"),
    "historian.correction-undone": lambda: _("Correction undone"),
    "historian.file-set-aside": lambda: _("Damaged file set aside"),
    "historian.file-put-back": lambda: _("File put back"),
    "historian.retention-ordered": lambda: _("Clearing of old data ordered"),
    "historian.samples-expired": lambda: _("Samples of age cleared"),
    "historian.samples-dropped": lambda: _("Samples cleared for lack of room"),
    "waveforms.expired": lambda: _("Waveforms of age cleared"),
    "forms.definition-made": lambda: _("Form made"),
    "forms.definition-changed": lambda: _("Form changed"),
    "forms.definition-published": lambda: _("Form published"),
    "forms.definition-retired": lambda: _("Form retired"),
    "forms.entry-sent": lambda: _("Entry of a form sent"),
    "forms.entry-withdrawn": lambda: _("Entry of a form withdrawn"),
    "forms.step-decided": lambda: _("Step of an approval decided"),
    "forms.exported": lambda: _("Entries of a form exported"),
    "backup.created": lambda: _("Backup made"),
    "backup.tried": lambda: _("Backup tried"),
    "documents.uploaded": lambda: _("Document uploaded"),
    "documents.version-uploaded": lambda: _("Version of a document uploaded"),
    "documents.went-back": lambda: _("Document taken back to an older version"),
    "documents.list-exported": lambda: _("List of documents exported"),
    "documents.changed": lambda: _("Document's particulars changed"),
    "documents.tied": lambda: _("Document tied to something"),
    "documents.untied": lambda: _("Document untied from something"),
    "documents.removed": lambda: _("Document removed"),
    "documents.restored": lambda: _("Document restored"),
    "documents.sweep-asked": lambda: _("Clearing of documents asked for"),
    "documents.infected-refused": lambda: _("Infected document refused to a reader"),
    "documents.taken-from-quarantine": lambda: _("Document taken out of quarantine"),
    "jobs.started": lambda: _("Job started"),
    "jobs.cancelled": lambda: _("Job cancelled"),
    "jobs.schedule-added": lambda: _("Schedule of a job added"),
    "jobs.schedule-changed": lambda: _("Schedule of a job changed"),
    "jobs.schedule-paused": lambda: _("Schedule of a job paused"),
    "jobs.schedule-resumed": lambda: _("Schedule of a job resumed"),
    "jobs.schedule-removed": lambda: _("Schedule of a job removed"),
    "documents.found-infected": lambda: _("Virus found in a document"),
    "documents.purged": lambda: _("Document purged"),
    "documents.retired": lambda: _("Document of age removed"),
    "security.audit-verified": lambda: _("Audit trail verified"),
    "security.audit-broken": lambda: _("Audit trail found broken"),
    "security.audit-exported": lambda: _("Audit trail exported"),
    "security.findings-exported": lambda: _("List of findings exported"),
    "security.pattern-seen": lambda: _("Unusual pattern seen"),
    "security.edge-lost": lambda: _("Edge lost"),
    "security.edge-connected": lambda: _("Edge connected"),
    "security.plant-changed": lambda: _("Plant model changed"),
}


def action_text(action: str) -> str:
    """What an action is called."""
    text = ACTIONS.get(action)
    return action if text is None else text()


def pattern(kind: str) -> str:
    """What was seen."""
    return {
        Kind.MANY_LOGINS: _("Many logins tried from one address"),
        Kind.REFUSALS: _("Many refusals of permission to one person"),
        Kind.EXPORTS: _("Many exports by one person"),
    }.get(Kind(kind), kind)


def concern(finding: Finding) -> tuple[str, str]:
    """What a finding is, and what to do about it."""
    return {
        Concern.NO_SECOND_FACTOR: (
            _("Administrator without a second factor"),
            _("Ask them to set one up, or demand it by second_factor_for below [security]."),
        ),
        Concern.UNUSED_ACCOUNT: (
            _("Account not used for 90 days"),
            _("Disable it unless its owner still needs it."),
        ),
        Concern.TOKEN_ENDS: (
            _("Token ends within 14 days"),
            _("Make a new one for the program in time."),
        ),
        Concern.UNUSED_TOKEN: (
            _("Token not used for 90 days"),
            _("Revoke it unless a program still needs it."),
        ),
        Concern.EDGE_SILENT: (
            _("Edge not seen"),
            _("See whether it runs and reaches the server; it keeps its samples meanwhile."),
        ),
        Concern.IN_THE_CLEAR: (
            _("Passwords cross the network unencrypted"),
            _("Set tls_certificate and tls_key below [server], or put a proxy with TLS before it."),
        ),
        Concern.CERTIFICATE_ENDS: (
            _("Certificate ends within 30 days"),
            _("Renew it and restart the server."),
        ),
        Concern.BAD_CERTIFICATE: (
            _("Certificate cannot be read"),
            _("See to it that the file is there and that the server may read it."),
        ),
        Concern.EDGE_VERSION: (
            _("Edge of another version than the server"),
            _("Bring both to the same version."),
        ),
    }[finding.concern]


def detail_name(name: str) -> str:
    """What a field of an entry's detail is called, where it has a name for people."""
    return {
        "reason": _("Reason"),
        "tags": _("Tags"),
        "from": _("From"),
        "to": _("To"),
        "roles": _("Roles"),
        "name": _("Name"),
        "email": _("E-mail"),
        "phone": _("Phone"),
        "post": _("Post"),
        "scopes": _("Scopes"),
        "permissions": _("Permissions"),
        "expires_at": _("Ends at"),
        "last_report": _("Last report"),
        "first": _("The first of them"),
        "tenant": _("Enterprise"),
        "count": _("Count"),
        "version": _("Version"),
        "before": _("Version before"),
        "place": _("Place"),
        "in_this_hour": _("Times in this hour"),
        "locked": _("While locked"),
        "format": _("Format"),
        "entries": _("Entries"),
        "chain": _("Chain"),
        "fault": _("Fault"),
    }.get(name, name)


def of_nothing(text: str) -> str:
    """The text, or a dash where there is none."""
    return text or NOTHING

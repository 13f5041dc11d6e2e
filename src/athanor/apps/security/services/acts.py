"""What this app itself enters into the audit trail, and which entries are about security."""

ACTOR = "security"  # in the audit trail, for what is done by the clock

VERIFIED = "security.audit-verified"
BROKEN = "security.audit-broken"
EXPORTED = "security.audit-exported"
FINDINGS_EXPORTED = "security.findings-exported"
PATTERN_SEEN = "security.pattern-seen"
EDGE_LOST = "security.edge-lost"
EDGE_CONNECTED = "security.edge-connected"
PLANT_CHANGED = "security.plant-changed"

SIGN_IN_REFUSED = "identity.sign-in-refused"

# Everything about people, rights and this app is; of the rest, what takes data out or changes how the house is set up.
_FAMILIES = ("identity.", "security.", "people.", "backup.", "settings.")
_OTHERS = frozenset(
    {
        "data.exported",
        "exchange.token-made",
        "exchange.token-revoked",
        "exchange.access-approved",
        "exchange.access-revoked",
    }
)
URGENT = frozenset({BROKEN, PATTERN_SEEN})
NOTABLE = frozenset(
    {
        SIGN_IN_REFUSED,
        "identity.permission-refused",
        "identity.second-factor-removed",
        "identity.recovery-code-used",
        EDGE_LOST,
    }
)
ROUTINE = frozenset({"identity.signed-out", "identity.session-ended", "identity.sessions-ended"})  # on no time line


def is_about_security(action: str) -> bool:
    """Whether an entry of this action belongs on the time line of security."""
    return (action.startswith(_FAMILIES) or action in _OTHERS) and action not in ROUTINE

"""Which rules somebody sees: the park's people all; a tenant's its own, and of the park's those about its assets."""

from dataclasses import dataclass, field

from athanor.kernel.alarms.instances import Expander, formulas_of, names_in
from athanor.kernel.alarms.rule import Deviation, Rule
from athanor.kernel.identity.user import User


@dataclass
class RuleSight:
    """What one viewer sees of the rules, in one plant."""

    viewer: User
    expander: Expander
    _types: dict[tuple[str, str | None], bool] = field(default_factory=dict)

    def sees(self, rule: Rule, tenant: str | None) -> bool:
        """Whether they see a rule of this tenant's, or of the park's where it is None."""
        own = self.viewer.tenant
        if own is None or tenant == own:
            return True
        return tenant is None and self._concerns(rule, own) and not self._names_foreign(rule, own)

    def _concerns(self, rule: Rule, own: str) -> bool:
        subject = rule.subject
        path = subject.node or (subject.tag if subject.type is None else None)
        if path is not None:
            return self._is_own(path, own)
        if subject.under is not None:
            nodes = self.expander.plant.model.nodes
            within = (node for node in nodes.values() if node.tenant == own and _is_within(node.path, subject.under))
            return any(within)
        if subject.limit is not None:
            return True
        key = (subject.type or "", subject.tag)
        if key not in self._types:
            self._types[key] = self.expander.has_of_type(subject, own)
        return self._types[key]

    def _names_foreign(self, rule: Rule, own: str) -> bool:
        """Whether it names by path what is not theirs to know of."""
        named = [rule.subject.under, rule.camera]
        if isinstance(rule.condition, Deviation):
            named.append(rule.condition.reference)
        named += [name for formula in formulas_of(rule) for name in names_in(formula)]
        return any(one is not None and not one.startswith(".") and not self._is_own(one, own) for one in named)

    def _is_own(self, path: str, own: str) -> bool:
        model = self.expander.plant.model
        node = model.nodes.get(path) or model.nodes.get(path.rpartition(".")[0])
        return node is not None and node.tenant == own


def _is_within(path: str, above: str) -> bool:
    return path == above or path.startswith(f"{above}.")

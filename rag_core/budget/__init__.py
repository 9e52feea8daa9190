"""Money: what is held before a call and booked after it, what will be spent, and who is told."""

from __future__ import annotations

# fmt: off
from rag_core.budget.alerts import (
    TIGHTEN_AT, Alert, AlertKind, AlertListener, AlertLog, AlertRules, Scope, output_budget,
    tightened,
)
from rag_core.budget.analytics import CostReport, Grouping, Spend
from rag_core.budget.day_costs import DayCosts, DayTotals, day_watched, tell_day
from rag_core.budget.daily_ledger import MAX_PENDING, DailyLedger
from rag_core.budget.delivery import delivering
from rag_core.budget.expected_cost import ENOUGH, ExpectedCosts
from rag_core.budget.forecast import (
    DEPLOYED, HISTORY_DAYS, DayForecast, Forecast, ForecastRules, History, Hours, days_of,
)
from rag_core.budget.ledger import (
    UNKNOWN, Admission, BookTotals, Call, CallState, CostBook, DayBudget, Hold, Ledger,
    LedgerStore, Spent, Sums, as_held,
)
from rag_core.budget.money import NANO_PER_USD, Caps, Nano, nano, price
from rag_core.budget.monitor import SpendMonitor, watching
from rag_core.budget.outlook import Outlook, SpendOutlook
from rag_core.budget.recent_spend import (
    USUAL_DAYS, HourSpend, RecentSpend, SpendSource, UserSpending,
)
from rag_core.budget.spending import HOLD_MARGIN_S, Paid, Spending, hold_ttl_s
from rag_core.budget.sweeper import SWEEP_S, swept
from rag_core.budget.uncapped import Uncapped

__all__ = [
    "DEPLOYED", "ENOUGH", "HISTORY_DAYS", "HOLD_MARGIN_S", "MAX_PENDING", "NANO_PER_USD",
    "SWEEP_S", "TIGHTEN_AT", "UNKNOWN", "USUAL_DAYS", "Admission", "Alert", "AlertKind",
    "AlertListener", "AlertLog", "AlertRules", "BookTotals", "Call", "CallState", "Caps",
    "CostBook", "CostReport", "DailyLedger", "DayBudget", "DayCosts", "DayForecast", "DayTotals",
    "ExpectedCosts", "Forecast", "ForecastRules", "Grouping", "History", "Hold", "HourSpend",
    "Hours", "Ledger", "LedgerStore", "Nano", "Outlook", "Paid", "RecentSpend", "Scope", "Spend",
    "SpendMonitor", "SpendOutlook",
    "SpendSource", "Spending", "Spent", "Sums", "Uncapped", "UserSpending", "as_held",
    "day_watched", "days_of", "delivering", "hold_ttl_s", "nano", "output_budget", "price", "swept",
    "tell_day", "tightened", "watching",
]

-- What Argo CD offers to do with a VersionedService; what would be refused now is shown as disabled.
local waiting = { Paused = true, Inconclusive = true }

local conditions = {}
local status = obj.status or {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end
local function is(kind)
  return conditions[kind] ~= nil and conditions[kind].status == "True"
end
local goesOn = is("Reconciling")
local waits = goesOn and conditions.Ready ~= nil and waiting[conditions.Ready.reason] == true

return {
  pause = { disabled = not goesOn or waits },
  resume = { disabled = not waits },
  promote = { disabled = not waits },
  ["promote-full"] = { disabled = not goesOn },
  abort = { disabled = not goesOn },
  retry = { disabled = not is("Stalled") },
  rollback = { disabled = status.previous == nil or status.previous == "" },
}

-- How healthy Argo CD calls a VersionedService or a Rollout, by its conditions Ready, Reconciling and Stalled. It uses no library:
-- Argo CD opens none for texts.

-- For these a rollout waits until a person decides.
local waiting = { Paused = true, Inconclusive = true }

local function health(status, message)
  return { status = status, message = message or "" }
end

if obj.metadata.deletionTimestamp ~= nil then
  return health("Progressing", "it is being deleted")
end
local status = obj.status
if status == nil or status.conditions == nil then
  return health("Progressing", "the controller has not looked at it yet")
end
-- What is said of another spec is not true of this one.
if status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "the controller has not looked at the newest spec yet")
end

local conditions = {}
for _, condition in ipairs(status.conditions) do
  conditions[condition.type] = condition
end
local ready, reconciling, stalled = conditions.Ready, conditions.Reconciling, conditions.Stalled

if stalled ~= nil and stalled.status == "True" then
  return health("Degraded", stalled.message)
end
if ready ~= nil and ready.status ~= "True" and waiting[ready.reason] then
  return health("Suspended", ready.message)
end
if reconciling ~= nil and reconciling.status == "True" then
  return health("Progressing", reconciling.message)
end
if ready == nil then
  return health("Progressing", "the controller has not said yet whether it is ready")
end
if ready.status == "True" then
  return health("Healthy", ready.message)
end
if ready.status == "False" then
  return health("Degraded", ready.message)
end
return health("Progressing", ready.message)

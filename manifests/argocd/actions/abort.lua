-- Asks the controller to abort, by an annotation: the spec stays as Git has it. The time makes the order another one each time.
local os = require("os")
obj.metadata.annotations = obj.metadata.annotations or {}
obj.metadata.annotations["switchyard.dev/order"] = "abort " .. os.date("!%Y-%m-%dT%XZ")
return obj

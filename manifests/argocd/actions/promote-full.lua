-- Asks the controller to promote without further waits, by an annotation: the spec stays as Git has it. The time makes the order another one each time.
local os = require("os")
obj.metadata.annotations = obj.metadata.annotations or {}
obj.metadata.annotations["switchyard.dev/order"] = "promote-full " .. os.date("!%Y-%m-%dT%XZ")
return obj

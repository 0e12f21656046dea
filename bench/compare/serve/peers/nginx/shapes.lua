-- Validates the answer of the upstream. Raises an error if it is invalid.
local function check(value, kind, name)
  if type(value) ~= kind then error(name .. ' is not of type ' .. kind) end
  return value
end

local function check_detail(detail)
  check(detail, 'table', 'details')
  check(detail.id, 'number', 'id')
  check(detail.name, 'string', 'name')
  check(detail.breed, 'string', 'breed')
  check(detail.weightKg, 'number', 'weightKg')
  check(detail.indoor, 'boolean', 'indoor')
  for _, trait in ipairs(check(detail.traits, 'table', 'traits')) do check(trait, 'string', 'traits') end
end

local function check_fact(fact)
  check(fact, 'table', 'body')
  check(fact.fact, 'string', 'fact')
  check(fact.length, 'number', 'length')
  if fact.details ~= nil then
    for _, detail in ipairs(check(fact.details, 'table', 'details')) do check_detail(detail) end
  end
end

return { check_fact = check_fact }

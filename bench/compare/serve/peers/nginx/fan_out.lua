-- A fan-out written by hand for nginx. It runs as many light threads as the concurrency limit allows. The pool of the cosockets limits the connections and has a queue.
local cjson = require('cjson')
local shapes = require('shapes')
local upstream = require('upstream')

local decode_args, unescape = ngx.decode_args, ngx.unescape_uri
local spawn, wait = ngx.thread.spawn, ngx.thread.wait

-- Returns the text as an integer from 1 to `most`, or nil.
local function whole(text, most)
  local value = type(text) == 'string' and text:match('^%d+$') and tonumber(text)
  return value and value >= 1 and value <= most and value or nil
end

-- Returns nil for invalid input.
local function read_input()
  local topic, query = ngx.var.request_uri:match('^/v1/facts/([^/?]+)%?(.*)$')
  local args = topic and decode_args(query)
  local count = args and whole(args.n, 100)
  if not count or (args.max_length and not whole(args.max_length, 2 ^ 31)) then return nil end
  local headers = ngx.req.get_headers()
  return {
    topic = unescape(topic), count = count, lang = args.lang, max_length = args.max_length,
    headers = upstream.header_lines({ ['accept-language'] = headers['accept-language'], ['x-tenant'] = headers['x-tenant'] }),
  }
end

-- Makes all calls of a request. Raises the first failure.
local function run(options, input)
  local facts, next_index = {}, 0

  local function runner()
    while next_index < input.count do
      local index = next_index
      next_index = next_index + 1
      local fact = cjson.decode(upstream.call(options, input, index))
      shapes.check_fact(fact)
      facts[index + 1] = fact
    end
  end

  local threads = {}
  for number = 1, math.min(options.width, input.count) do threads[number] = spawn(runner) end
  for number = 1, #threads do
    local ok, failure = wait(threads[number])
    if not ok then error(failure, 0) end
  end
  return facts
end

local function answer(status, body)
  ngx.status = status
  ngx.header.content_type = 'application/json'
  ngx.header.content_length = #body
  ngx.print(body)
  return ngx.exit(status)
end

local function make(options)
  return function()
    local input = read_input()
    if not input then return answer(400, '{"error":"the input is not valid"}') end
    local ok, facts = pcall(run, options, input)
    if not ok then
      ngx.log(ngx.ERR, facts)
      return answer(502, '{"error":"the upstream failed"}')
    end
    return answer(200, cjson.encode({ facts = facts }))
  end
end

return { make = make }

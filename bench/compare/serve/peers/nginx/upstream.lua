-- One call to the upstream over a pooled cosocket.
local escape = ngx.escape_uri
local tcp = ngx.socket.tcp

-- Returns the lines of the headers that are present.
local function header_lines(headers)
  local lines = {}
  for name, value in pairs(headers) do lines[#lines + 1] = name .. ': ' .. value .. '\r\n' end
  return table.concat(lines)
end

-- Returns the request target, without absent query parameters.
local function target(input, index)
  local path = '/topics/' .. escape(input.topic) .. '/fact?index=' .. index
  if input.lang then path = path .. '&lang=' .. escape(input.lang) end
  if input.max_length then path = path .. '&max_length=' .. escape(input.max_length) end
  return path
end

local function call(options, input, index)
  local socket = tcp()
  assert(socket:connect(options.host, options.port, { pool_size = options.slots, backlog = options.queue }))
  assert(socket:send({ 'GET ', target(input, index), ' HTTP/1.1\r\nHost: ', options.host, ':', options.port, '\r\n', input.headers, '\r\n' }))
  local head = assert(socket:receiveuntil('\r\n\r\n')())
  local length = tonumber(head:match('\r\n[Cc]ontent%-[Ll]ength: *(%d+)'))
  if head:sub(10, 12) ~= '200' or not length then
    socket:close()
    error('the upstream answered ' .. head:sub(10, 12))
  end
  local body = assert(socket:receive(length))
  socket:setkeepalive(60000)
  return body
end

return { call = call, header_lines = header_lines }

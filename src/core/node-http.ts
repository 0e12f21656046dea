// `import … from 'node:http'` reads every export of the module. One of them, `WebSocket`, loads the copy of undici that
// is part of Node.js, which costs tens of ms at the start and some MB of memory. `getBuiltinModule` reads only what is
// used.
const http = process.getBuiltinModule('node:http')

export const { createServer, METHODS, ServerResponse, STATUS_CODES, validateHeaderName, validateHeaderValue } = http

import { createRequire } from 'node:module'
import type http from 'node:http'

// `import … from 'node:http'` reads every export of the module. One of them, `WebSocket`, loads the copy of undici that
// is part of Node.js, which costs tens of ms at the start and some MB of memory. `require` reads only what is used.
const builtin = createRequire(import.meta.url)('node:http') as typeof http

export const { createServer, METHODS, ServerResponse, STATUS_CODES, validateHeaderName, validateHeaderValue } = builtin

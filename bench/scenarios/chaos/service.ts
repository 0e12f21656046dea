// node bench/scenarios/chaos/service.ts <origins and a folder> <workers>: serves `definitions.ts` like `headwaters
// serve`.
import cluster from 'node:cluster'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { serve } from '../../../src/server/serve.ts'
import { announce } from '../../lib/announce.ts'

const [, , settings = '', workers = '1'] = process.argv
let port = 0
if (cluster.isPrimary) {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  port = (server.address() as AddressInfo).port
  server.close()
  await once(server, 'close')
  Object.assign(process.env, {
    CHAOS: settings,
    PORT: String(port),
    LOG_LEVEL: 'fatal',
    REPLY_TIMEOUT_MS: '5000',
    REQUEST_TIMEOUT_MS: '10000',
  })
}
await serve({ paths: [join(import.meta.dirname, 'definitions.ts')], workers: Number(workers) })
if (cluster.isPrimary) announce(port)

import { Pool } from 'undici'
import { upstreamOrigin } from '../../../lib/announce.ts'
import { serveFloor } from './floor.ts'
import { settings } from '../../workload/settings.ts'

const pool = new Pool(upstreamOrigin(), { connections: settings.concurrency })
const get = { path: '/fact', method: 'GET' } as const

serveFloor(async () => {
  const { statusCode, body } = await pool.request(get)
  if (statusCode !== 200) {
    await body.dump()
    throw new Error(`the upstream answered ${statusCode}`)
  }
  return body.json()
})

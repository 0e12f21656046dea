import { Pool } from 'undici'
import { upstreamOrigin } from '../../../lib/announce.ts'
import { Collector } from './collector.ts'
import { serveFloor } from './floor.ts'
import { settings } from '../../workload/settings.ts'

const pool = new Pool(upstreamOrigin(), { connections: settings.concurrency })
const get = { path: '/fact', method: 'GET' } as const

serveFloor(
  () =>
    new Promise((resolve, reject) => {
      pool.dispatch(get, new Collector(resolve, reject))
    }),
)

import { Pool } from 'undici'
import { Collector } from '../../app/peers/collector.ts'
import { settings } from '../../workload/settings.ts'
import { pathOf, serveFloor } from './floor.ts'

const pool = new Pool(process.env['UPSTREAM'] ?? '', { connections: settings.concurrency })

serveFloor(
  (asked, index) =>
    new Promise((resolve, reject) => {
      pool.dispatch(
        { path: pathOf(asked, index), method: 'GET', headers: asked.headers },
        new Collector(resolve, reject),
      )
    }),
)

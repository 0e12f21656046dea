import { Pool } from 'undici'
import { Collector } from '../../app/peers/collector.ts'
import { settings } from '../../workload/settings.ts'
import { pathOf, serveFloor } from './floor.ts'

const pool = new Pool(process.env['UPSTREAM'] ?? '', { connections: settings.concurrency })

serveFloor(
  (request, index) =>
    new Promise((resolve, reject) => {
      pool.dispatch(
        { path: pathOf(request, index), method: 'GET', headers: request.headers },
        new Collector(resolve, reject),
      )
    }),
)

import { Pool } from 'undici'
import { settings } from '../../workload/settings.ts'
import { pathOf, serveFloor } from './floor.ts'

const pool = new Pool(process.env['UPSTREAM'] ?? '', { connections: settings.concurrency })

serveFloor(async (request, index) => {
  const { statusCode, body } = await pool.request({
    path: pathOf(request, index),
    method: 'GET',
    headers: request.headers,
  })
  if (statusCode !== 200) {
    await body.dump()
    throw new Error(`the upstream answered ${statusCode}`)
  }
  return body.json()
})

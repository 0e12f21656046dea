import type { Pool } from 'undici'
import { pathOf } from './floor.ts'
import type { FactsRequest } from './floor.ts'

/** Returns a function that sends one upstream call with `Pool.request`. */
export function requestsWith(pool: Pool) {
  return async (request: FactsRequest, index: number): Promise<unknown> => {
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
  }
}

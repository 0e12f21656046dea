import type { Test } from 'tap'
import { startStandIns } from '../../../src/demo-upstreams/index.ts'
import type { StandInName } from '../../../src/demo-upstreams/index.ts'

/** Starts the stand-ins for one test and gives the origin of one of them with a way to ask it. */
export async function startOne (t: Test, name: StandInName) {
  const standIns = await startStandIns({ medianMs: 0 })
  t.teardown(() => standIns.close())
  const origin = standIns.origins[name]

  async function get<Body> (path: string) {
    const response = await fetch(origin + path)
    return { status: response.status, headers: response.headers, body: await response.json() as Body }
  }

  return { origin, get }
}

import type { Test } from 'tap'
import { startDemoUpstreams } from '../../../src/demo-upstreams/index.ts'
import type { DemoUpstreamName } from '../../../src/demo-upstreams/index.ts'

/** Starts the stand-ins for one test and gives the origin of one of them with a way to ask it. */
export async function startOne(t: Test, name: DemoUpstreamName) {
  const standIns = await startDemoUpstreams({ medianMs: 0 })
  t.teardown(() => standIns.close())
  const origin = standIns.origins[name]

  async function get<Body>(path: string) {
    const response = await fetch(origin + path)
    return { status: response.status, headers: response.headers, body: (await response.json()) as Body }
  }

  return { origin, get }
}

import type { Test } from 'tap'
import { startDemoUpstreams } from '../../../src/demo-upstreams/index.ts'
import type { DemoUpstreamName } from '../../../src/demo-upstreams/index.ts'

/** Starts the demo upstreams for one test and gives the origin of one of them with a way to ask it. */
export async function startOne(t: Test, name: DemoUpstreamName) {
  const demoUpstreams = await startDemoUpstreams({ medianMs: 0 })
  t.teardown(() => demoUpstreams.close())
  const origin = demoUpstreams.origins[name]

  async function get<Body>(path: string) {
    const response = await fetch(origin + path)
    return { status: response.status, headers: response.headers, body: (await response.json()) as Body }
  }

  return { origin, get }
}

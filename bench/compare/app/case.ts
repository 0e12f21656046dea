import type { Case } from '../case.ts'
import { startChild } from '../../lib/child.ts'
import { goMissing, goVersion, startGo } from './peers/go.ts'
import type { TargetSpec, TargetEnvironment } from '../targets.ts'

const ofNode =
  (module: URL, ...argv: readonly string[]): TargetSpec['start'] =>
  (name, { origin }: TargetEnvironment) =>
    startChild(name, module, [origin, ...argv], 1)

/** The case `app`: an app without a log, with an operation without parameters. It measures only the cost of a call. */
export const appCase: Case = {
  specs: {
    service: { label: 'Headwaters', start: ofNode(new URL('./service.ts', import.meta.url)) },
    'service-trusted': {
      label: 'Headwaters, pipelining',
      start: ofNode(new URL('./service.ts', import.meta.url), '10'),
    },
    'floor-request': { label: 'Pool.request', start: ofNode(new URL('./peers/floor-request.ts', import.meta.url)) },
    'floor-dispatch': { label: 'pool.dispatch', start: ofNode(new URL('./peers/floor-dispatch.ts', import.meta.url)) },
    'fetch-zod': { label: 'Fastify + fetch + zod', start: ofNode(new URL('./peers/fetch-zod.ts', import.meta.url)) },
    go: {
      label: 'Go net/http',
      start: (name, { origin }) => startGo(name, origin),
      missing: goMissing,
      version: async () => (await goVersion())?.replace('go', ''),
    },
  },
  targets: ['service', 'service-trusted', 'floor-request', 'floor-dispatch', 'fetch-zod', 'go'],
  rows: '1,5,20,100',
  inbound: fanout => ({ path: `/?n=${fanout}` }),
  async check({ name, port }, _upstream, { fanout, bodyBytes }) {
    const response = await fetch(`http://127.0.0.1:${port}/?n=${fanout}`)
    const text = await response.text()
    const facts = text.match(/"fact":"[^"]+","length":\d+/g)?.length ?? 0
    const isWhole =
      facts === fanout &&
      text.includes('"complete":true') &&
      text.includes('"data":{"facts":[') &&
      text.length >= fanout * bodyBytes
    if (response.status !== 200 || !isWhole)
      throw new Error(
        `${name} answered ${response.status} with ${facts} facts and ${text.length} bytes for fan-out ${fanout}: ${text.slice(0, 400)}`,
      )
  },
}

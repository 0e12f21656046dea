import type { Inbound } from '../../compare/case.ts'
import { serveCase } from '../../compare/serve/case.ts'
import type { LoadResult, LoadStart } from '../../compare/workload/closed-loop.ts'
import type { Row } from '../../compare/workload/row.ts'
import type { UpstreamCommand } from '../../compare/workload/upstream.ts'
import { startChild } from '../../lib/child.ts'
import type { ListeningProcess } from '../../lib/child.ts'

/** The requests of the case `serve`. */
const inboundOf: (fanout: number) => Inbound = serveCase(undefined).inbound

/** The upstream and the callers of the case `serve`, on core 0. */
export interface Harness {
  readonly origin: string
  /** Sends the requests of a row in a closed loop. */
  drive(service: ListeningProcess, row: Row, seconds: number): Promise<LoadResult>
  stop(): Promise<void>
}

/** Starts the upstream and the callers of the case `serve`. */
export async function startHarness(): Promise<Harness> {
  const upstream = await startChild('upstream', new URL('../../compare/workload/upstream.ts', import.meta.url), [], 0)
  const load = await startChild('load', new URL('../../compare/workload/closed-loop.ts', import.meta.url), [], 0)
  return {
    origin: `http://127.0.0.1:${upstream.port}`,
    async drive({ port }, { fanout, bodyBytes, callers }, seconds) {
      await upstream.request({ bodyBytes } satisfies UpstreamCommand)
      const start: LoadStart = { port, ...inboundOf(fanout), ms: seconds * 1000, callers }
      return load.request<LoadResult>({ start })
    },
    async stop() {
      await load.stop()
      await upstream.stop()
    },
  }
}

import { once } from 'node:events'
import { request } from 'node:http'
import type { Test } from 'tap'
import type { DashboardEvent, Hello, Sample } from '../../../../src/dashboard/protocol.ts'
import { until } from '../../../helpers/until.ts'

type EventOf<T extends DashboardEvent['type']> = Extract<DashboardEvent, { readonly type: T }>

/** A reader of the events of the dashboard. */
export interface OpenDashboard {
  readonly events: readonly DashboardEvent[]
  readonly of: <T extends DashboardEvent['type']>(type: T) => EventOf<T>[]
  /** Resolves with the first `hello` that meets the condition. */
  readonly hello: (isMeant?: (hello: Hello) => boolean) => Promise<Hello>
  /** Resolves with the first sample that meets the condition. */
  readonly sample: (isMeant: (sample: Sample) => boolean) => Promise<Sample>
  /** The number of runs of an aggregate with this outcome in all samples so far. */
  readonly runs: (aggregate: string, outcome?: 'complete' | 'partial' | 'failed') => number
  /** Resolves when the service has ended the events. */
  readonly ended: Promise<unknown>
  readonly close: () => void
}

/** Opens the events of the dashboard and reads them until the end of the test. */
export async function openDashboard(t: Test, port: number): Promise<OpenDashboard> {
  const asking = request({ host: '127.0.0.1', port, path: '/dashboard/events', agent: false }).end()
  t.teardown(() => asking.destroy())
  const [response] = await once(asking, 'response')
  t.equal(response.statusCode, 200)
  asking.on('error', () => {})
  response.on('error', () => {})
  const events: DashboardEvent[] = []
  let rest = ''
  response.setEncoding('utf8').on('data', (text: string) => {
    const blocks = (rest + text).split('\n\n')
    rest = blocks.pop() as string
    for (const block of blocks) {
      const data = block.split('\n').find(line => line.startsWith('data: '))
      if (data !== undefined) events.push(JSON.parse(data.slice('data: '.length)) as DashboardEvent)
    }
  })
  const of = <T extends DashboardEvent['type']>(type: T) =>
    events.filter((event): event is EventOf<T> => event.type === type)

  async function first<T extends DashboardEvent['type']>(
    type: T,
    isMeant: (event: EventOf<T>) => boolean,
  ): Promise<EventOf<T>> {
    await until(() => of(type).some(isMeant), { seen: () => of(type).at(-1) })
    return of(type).find(isMeant) as EventOf<T>
  }

  return {
    events,
    of,
    hello: (isMeant = () => true) => first('hello', isMeant),
    sample: isMeant => first('sample', isMeant),
    runs: (aggregate, outcome = 'complete') => {
      const index = of('hello')
        .at(-1)
        ?.aggregates.findIndex(({ name }) => name === aggregate)
      const rows = of('sample').flatMap(({ aggregates }) => aggregates.filter(row => row.index === index))
      return rows.reduce((sum, row) => sum + row[outcome], 0)
    },
    ended: new Promise(resolve => response.once('close', resolve)),
    close: () => asking.destroy(),
  }
}

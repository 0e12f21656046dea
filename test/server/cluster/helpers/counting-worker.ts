import cluster, { type Worker } from 'node:cluster'
import { openChannel } from '../../../../src/server/cluster/channel.ts'
import { assignmentVariable } from '../../../../src/server/cluster/messages.ts'
import { readAssignment } from '../../../../src/server/cluster/read-message.ts'
import { someTables } from '../../../metrics/helpers/tables.ts'

/** What a test tells the worker. */
export type Order =
  | { readonly order: 'count'; readonly calls: number; readonly permits: number }
  | { readonly order: 'block'; readonly ms: number }
  | { readonly order: 'collections' }
  | { readonly order: 'scrape'; readonly accept: string }
  | { readonly order: 'fail' }
  | { readonly order: 'listen' }

/** What the worker tells the test. */
export type Told = { readonly told: unknown }

const { calls, permits, waits, tables } = someTables()
const assignment = readAssignment(process.env[assignmentVariable])
if (assignment === undefined) throw new Error('this is no worker')
const channel = openChannel(cluster.worker as Worker, {
  ...assignment,
  stop: () => void channel.metrics.sendSeries().then(() => process.exit(0)),
  ownLostLogLines: () => 0,
})
let collections = 0
channel.metrics.collect = async () => {
  collections++
  return tables
}

process.on('message', (message: Partial<Order>) => {
  const tell = (told: unknown) => process.send?.({ told })
  switch (message.order) {
    case 'listen':
      return channel.listening(1, 0)
    case 'count':
      calls.add(calls.slot('cats', 'OK'), message.calls ?? 0)
      permits.set(permits.slot('cats'), message.permits ?? 0)
      for (let at = 0; at < 100; at++) waits.observe(waits.slot(`upstream-${at}`, 'permit'), 0.003)
      return tell('counted')
    case 'block': {
      tell('blocks')
      const until = performance.now() + (message.ms ?? 0)
      // The message leaves before the loop is blocked.
      setImmediate(() => {
        while (performance.now() < until);
        tell('is free')
      })
      return
    }
    case 'collections':
      return tell(collections)
    case 'fail':
      channel.metrics.collect = async () => Promise.reject(new Error('no'))
      return tell('fails')
    case 'scrape':
      return void channel.metrics.source.render(message.accept).then(tell, (error: Error) => tell(error.message))
    case undefined:
  }
})

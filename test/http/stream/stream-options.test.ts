import { test } from 'tap'
import { readStreamOptions, type StreamOptions } from '../../../src/http/stream/stream-options.ts'

test('the limits of streams have defaults', async t => {
  t.same(readStreamOptions('app'), { maxBytes: 65_536, readTimeout: 30_000, heartbeat: 15_000 })
  t.same(readStreamOptions('app', { maxBytes: 4096 }, 500), { maxBytes: 4096, readTimeout: 500, heartbeat: 15_000 })
  t.equal(readStreamOptions('app', { readTimeout: 10 }, 500).readTimeout, 10)
})

test('a wrong limit of streams is refused with its bounds', async t => {
  const refused: readonly (readonly [unknown, string])[] = [
    [{ maxBytes: 4095 }, 'app: streams.maxBytes must be a whole number of bytes from 4096 to 16777216, got 4095'],
    [{ readTimeout: 0 }, 'app: streams.readTimeout must be a whole number of ms from 1 to 2147483647, got 0'],
    [{ heartbeat: 999 }, 'app: streams.heartbeat must be a whole number of ms from 1000 to 600000, got 999'],
    [{ bytes: 1 }, "app: unknown option 'streams.bytes': use maxBytes, readTimeout, heartbeat"],
    [false, 'app: streams must be an object with some of maxBytes, readTimeout, heartbeat'],
  ]
  for (const [options, message] of refused)
    t.throws(() => readStreamOptions('app', options as StreamOptions), { name: 'TypeError', message })
})

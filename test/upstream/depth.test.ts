import { test } from 'tap'
import { isTooDeep, maxDepth } from '../../src/upstream/depth.ts'

const within = (open: string, inside: string, close: string, times: number): unknown => JSON.parse(open.repeat(times) + inside + close.repeat(times))

test('a value may stand as deep as is allowed, and no deeper', async t => {
  for (const [open, close] of [['[', ']'], ['{"a":', '}']] as const) {
    for (const inside of ['1', 'null', '[]', '{}']) {
      t.notOk(isTooDeep(within(open, inside, close, maxDepth)), `${open} ${inside}`)
      t.ok(isTooDeep(within(open, inside, close, maxDepth + 1)), `${open} ${inside}, one deeper`)
    }
  }
  for (const plain of [1, null, 'a', [], {}, [1, { a: [null] }]]) t.notOk(isTooDeep(plain))
})

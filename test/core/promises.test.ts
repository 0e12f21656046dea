import { test } from 'tap'
import { ignoreRejection } from '../../src/core/promises.ts'
import { misbehaving, ways, type Way } from '../embedding/functions/ways.ts'
import { rest } from '../helpers/turn.ts'

test('whatever a function returned, looking at it throws nothing and no rejection is left', async t => {
  const uncaught: unknown[] = []
  const hear = (reason: unknown) => {
    uncaught.push(reason)
  }
  process.on('unhandledRejection', hear)
  t.teardown(() => process.off('unhandledRejection', hear))
  for (const way of Object.keys(ways).filter(each => !each.startsWith('throws')) as Way[])
    ignoreRejection(misbehaving(way)())
  ignoreRejection(
    Object.assign(() => {}, {
      // oxlint-disable-next-line unicorn/no-thenable -- a function may be a thenable too
      then: (_: unknown, refuse: (reason: unknown) => void) => {
        refuse('theirs')
      },
    }),
  )
  await rest()
  t.same(uncaught, [])
})

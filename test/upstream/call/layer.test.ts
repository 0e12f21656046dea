import { test } from 'tap'
import { stack, type Layer } from '../../../src/upstream/call/layer.ts'
import { testRun } from '../../helpers/call.ts'
import { questions } from '../../helpers/questions.ts'

test('the first layer is the outermost: it sees the call first and the answer last', async t => {
  const seen: string[] = []
  const named =
    (name: string): Layer =>
    next =>
    async call => {
      seen.push(`${name} before`)
      const answer = await next(call)
      seen.push(`${name} after`)
      return answer
    }
  await stack([named('outer'), named('inner')], async <T>() => ({ value: undefined as T, status: 200 }))(
    testRun().ask(questions.ask()),
  )
  t.same(seen, ['outer before', 'inner before', 'inner after', 'outer after'])
})

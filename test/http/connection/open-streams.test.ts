import { test } from 'tap'
import { Problem } from '../../../src/errors.ts'
import { OpenStreams, type OpenStream } from '../../../src/http/connection/open-streams.ts'

test('open streams end together, each once, also if each removes itself', async t => {
  const streams = new OpenStreams()
  const ended: [string, Problem][] = []
  const open = (name: string): OpenStream => {
    const stream = {
      end(problem: Problem) {
        ended.push([name, problem])
        streams.delete(stream)
      },
    }
    streams.add(stream)
    return stream
  }
  open('first')
  streams.delete(open('left'))
  open('second')
  t.equal(streams.size, 2)
  const problem = new Problem('DRAINING')
  streams.endAll(problem)
  t.same(ended, [
    ['first', problem],
    ['second', problem],
  ])
  t.equal(streams.size, 0)
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { serveApp } from '../helpers/served-app.ts'
import { compiledProgram, run } from './helpers/client.ts'
import { committed, committedYaml, operations } from './helpers/document.ts'

test(
  'a client that a public generator makes of openapi.yaml compiles, calls every operation and reads streams in both forms',
  { timeout: 120_000 },
  async t => {
    const program = await compiledProgram(
      t,
      committedYaml(),
      readFileSync(join(import.meta.dirname, 'client-program.ts.txt'), 'utf8'),
    )

    const { origin } = await serveApp(t)
    const { code, output } = await run(program, origin)
    t.equal(code, 0, output)
    const told = JSON.parse(output) as Record<string, unknown>
    const ids = operations(committed()).map(({ operation }) => operation.operationId)
    t.same(
      ids.filter(id => !(id in told)),
      [],
      'every operation is called',
    )
    t.same(told, {
      batch: ['Siamese', 1, 'ok', 'REFUSED'],
      batchStream: [['breeds', 'facts', 'images', 'none'], false],
      lines: [['ninja', 'meow', 'picture'], 200, 2],
      sent: [['ninja', 'meow', 'picture'], 200, 2],
      catFacts: [true, true, true, 'status 200', 0],
      breed: ['Siamese', 'https://en.wikipedia.org/wiki/Siamese_cat', ['siam'], 'ok'],
      postcard: ['Hello!', true, true, 'ok'],
      healthLive: 'live',
      healthReady: 'ready',
      refused: [404, 'REFUSED', 'No breed has this name.', 'matches ok'],
      faulty: ['/query/count'],
    })
  },
)

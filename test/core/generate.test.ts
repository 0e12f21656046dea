import { spawnSync } from 'node:child_process'
import { test } from 'tap'
import { generate } from '../../src/core/generate.ts'

test('generated code uses the given values by their names', t => {
  const add = generate<(more: number) => number>('return more => base + more', { base: 2 })
  t.equal(add?.(3), 5)
  t.end()
})

test('a mistake in the code is thrown', t => {
  t.throws(() => generate('return (', {}), { name: 'SyntaxError' })
  t.end()
})

test('a process that forbids generated code gets no function, and its calls are written without it', t => {
  const program = `
    import { z } from 'zod'
    import { defineUpstream, operation } from './src/upstream/declare.ts'
    import { generate } from './src/core/generate.ts'
    const { find } = defineUpstream('cats', { origin: 'http://cats.example' }, {
      find: operation({
        path: '/cats/{id}',
        params: z.object({ id: z.string() }),
        query: z.object({ q: z.string() }),
        output: z.unknown(),
      }),
    })
    console.log(typeof generate('return () => 1', {}), find({ id: 'a b', q: '&' }).path)`
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--disallow-code-generation-from-strings', '--input-type=module-typescript', '-e', program],
    { encoding: 'utf8' },
  )
  t.equal(stdout, 'undefined /cats/a%20b?q=%26\n', stderr)
  t.end()
})

import { existsSync } from 'node:fs'
import { test } from 'tap'
import { pureTests } from '../../tools/pure-tests.ts'

const files = pureTests()

test('the pure tests are those without network, files, processes and terminal', async t => {
  t.ok(files.length > 70, `${files.length} files`)
  for (const file of [
    'test/core/bounds.test.ts',
    'test/core/json/parse.test.ts',
    'test/fanout/each.test.ts',
    'test/upstream/policies/retry/retry.test.ts',
  ])
    t.ok(files.includes(file), file)
})

test('a test that reaches the outside itself or through a helper is not pure', async t => {
  for (const file of [
    'test/commands/load/terminal.test.ts', // a terminal
    'test/core/end-to-end.test.ts', // a socket, by a helper
    'test/log/destination.test.ts', // a process
    'test/upstream/auth/access.test.ts', // files
  ]) {
    t.ok(existsSync(new URL(`../../${file}`, import.meta.url)), file)
    t.notOk(files.includes(file), file)
  }
})

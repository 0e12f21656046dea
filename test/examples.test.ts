import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { t, test } from 'tap'
import { runTests } from './helpers/project-tests.ts'

// Each of its tests starts processes.
t.setTimeout(120_000)

const examples = join(import.meta.dirname, '../examples')
const names = readdirSync(examples, { withFileTypes: true })
  .filter(entry => entry.isDirectory())
  .map(({ name }) => name)

for (const name of names)
  test(`the tests of the example ${name} pass`, async t => {
    const folder = join(examples, name)
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.test.ts'))
    t.not(files.length, 0)
    const { code, output } = await runTests(folder, files)
    t.equal(code, 0, { output })
    t.match(output, /^# fail 0$/m)
    t.match(output, /^# pass [1-9]/m)
  })

import { join } from 'node:path'
import { test } from 'tap'
import { variablesOfEnvFiles } from '../../../src/server/cluster/env-files.ts'
import { definitionsFolder } from '../../helpers/definitions-folder.ts'

test('variables that Node.js read from environment files are recognised, and variables from elsewhere are not', async t => {
  const { path } = definitionsFolder(t, { 'a.env': 'ONE=1\nTWO=2\nBOTH=a\n', 'b=.env': 'BOTH=b\nLAST="x y"\n' })
  const environment = { ONE: '1', TWO: 'set by the shell', BOTH: 'b', LAST: 'x y', PATH: '/bin' }
  const flags = [
    '--no-warnings',
    `--env-file=${join(path, 'a.env')}`,
    '--env-file-if-exists',
    join(path, 'b=.env'),
    `--env-file-if-exists=${join(path, 'none.env')}`,
  ]
  t.same(variablesOfEnvFiles(flags, environment).sort(), ['BOTH', 'LAST', 'ONE'])
  t.same(variablesOfEnvFiles([], environment), [])
  t.same(variablesOfEnvFiles(['--env-file'], environment), [])
})

// The service as `headwaters serve` starts it, except that its processes are replaced after three reloads.
import { parseArgs } from 'node:util'
import { serve } from '../../../src/server/serve.ts'

const { values, positionals } = parseArgs({
  options: { workers: { type: 'string', default: '1' }, watch: { type: 'boolean', default: false } },
  allowPositionals: true,
})
// The first argument is the name of the command.
const [, ...paths] = positionals
await serve({ paths, workers: Number(values.workers), watch: values.watch, maxReloads: 3 })

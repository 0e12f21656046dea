import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// tap preloads this file in each test file. A function from the cache has no coverage per branch.
if (process.env['_TAPJS_PROCESSINFO_COVERAGE_'] === '0')
  enableCompileCache(join(import.meta.dirname, '../../node_modules/.cache/headwaters/compiled'))

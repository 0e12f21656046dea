// The definitions for `bench/scenarios/calm/main.ts`. The step has no option, because the default of `each` is measured.
import { factsWith } from '../../compare/serve/definitions/facts.ts'
import { calmConcurrency } from './concurrency.ts'

export const facts = factsWith({ concurrency: calmConcurrency }, {})

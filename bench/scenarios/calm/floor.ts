// The floor of `bench/scenarios/calm/main.ts`: `Pool.request` by hand, with the concurrency of the definitions.
import { Pool } from 'undici'
import { boundedCalls } from '../../compare/app/peers/bounded.ts'
import { serveFloor } from '../../compare/serve/peers/floor.ts'
import { requestsWith } from '../../compare/serve/peers/pool-request.ts'
import { settings } from '../../compare/workload/settings.ts'
import { calmConcurrency } from './concurrency.ts'

serveFloor(
  requestsWith(new Pool(process.env['UPSTREAM'] ?? '', { connections: calmConcurrency })),
  boundedCalls({ ...settings, concurrency: calmConcurrency, stepConcurrency: calmConcurrency }),
)

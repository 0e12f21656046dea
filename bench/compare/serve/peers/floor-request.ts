import { Pool } from 'undici'
import { settings } from '../../workload/settings.ts'
import { serveFloor } from './floor.ts'
import { requestsWith } from './pool-request.ts'

serveFloor(requestsWith(new Pool(process.env['UPSTREAM'] ?? '', { connections: settings.concurrency })))

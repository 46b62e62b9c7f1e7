import { decodeCursor, pageOf, route, type Route } from '@billtrail/platform'
import { z } from 'zod'
import type { CatalogueDeps } from '../catalogue-deps'
import { changeMeter, createMeter, getMeter, pageOfMeters } from './manage-meters'
import {
  MeterAnswer,
  MeterChangesBody,
  MeterParams,
  MetersPage,
  MetersQuery,
  NewMeterBody,
} from './meters.schema'
import { presentMeter } from './present-meter'

const tag = 'Catalogue'
const CursorKey = z.tuple([z.string()])

export function meterRoutes(deps: CatalogueDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/v1/meters',
      summary: 'Make a meter',
      tag,
      body: NewMeterBody,
      answers: {
        201: { description: 'Made', schema: MeterAnswer },
        200: { description: 'It was there before, with the same content', schema: MeterAnswer },
        409: { description: '`meter_exists`: there is one with other content' },
      },
      handler: async ({ body, caller, res }) => {
        const { meter, created } = await createMeter(deps, caller, body)
        res
          .status(created ? 201 : 200)
          .location(`/v1/meters/${meter.code}`)
          .json(presentMeter(meter))
      },
    }),
    route({
      method: 'get',
      path: '/v1/meters',
      summary: 'List meters',
      tag,
      query: MetersQuery,
      answers: { 200: { description: 'By code', schema: MetersPage } },
      handler: async ({ query, caller, res }) => {
        const [after] = decodeCursor(query.cursor, CursorKey) ?? []
        const rows = await pageOfMeters(deps, caller, { limit: query.limit, after })
        res.json(pageOf(rows, query.limit, presentMeter, (meter) => [meter.code]))
      },
    }),
    route({
      method: 'get',
      path: '/v1/meters/:code',
      summary: 'Show a meter',
      tag,
      params: MeterParams,
      answers: { 200: { description: 'The meter', schema: MeterAnswer } },
      handler: async ({ params, caller, res }) => {
        res.json(presentMeter(await getMeter(deps, caller, params.code)))
      },
    }),
    route({
      method: 'patch',
      path: '/v1/meters/:code',
      summary: 'Change a meter',
      description:
        'What is absent stays. A meter that an activated plan version uses keeps all but its name.',
      tag,
      params: MeterParams,
      body: MeterChangesBody,
      answers: {
        200: { description: 'As it is now', schema: MeterAnswer },
        409: { description: '`meter_in_use`' },
      },
      handler: async ({ params, body, caller, res }) => {
        const meter = await changeMeter(deps, caller, { code: params.code, changes: body })
        res.json(presentMeter(meter))
      },
    }),
  ]
}

import { useIngestApi } from '../testing/use-ingest-api'

const api = useIngestApi()

/** A cloud bill by the FinOps Open Cost and Usage Specification (FOCUS) 1.0: its columns, made-up charges. */
const BILL = [
  'BilledCost,BillingAccountId,BillingAccountName,BillingCurrency,BillingPeriodEnd,BillingPeriodStart,ChargeCategory,ChargeClass,ChargeDescription,ChargeFrequency,ChargePeriodEnd,ChargePeriodStart,ConsumedQuantity,ConsumedUnit,ContractedUnitPrice,EffectiveCost,ListUnitPrice,PricingQuantity,PricingUnit,ProviderName,RegionId,ResourceId,ServiceCategory,ServiceName,SkuId,Tags',
  '0.0416,8842-1190,"Acme, Inc.",USD,2025-11-01T00:00:00Z,2025-10-01T00:00:00Z,Usage,,"2 vCPU, 8 GiB, per hour",Usage-Based,2025-10-03T05:00:00Z,2025-10-03T04:00:00Z,1,Hours,0.0416,0.0416,0.05,1,Hours,Nimbus,eu-north-1,vm/7f3a,Compute,Virtual Machines,SKU-VM-2-8,"{""env"":""prod"",""team"":""core""}"',
  '0.0832,8842-1190,"Acme, Inc.",USD,2025-11-01T00:00:00Z,2025-10-01T00:00:00Z,Usage,,"2 vCPU, 8 GiB, per hour",Usage-Based,2025-10-03T06:00:00Z,2025-10-03T05:00:00Z,2,Hours,0.0416,0.0832,0.05,2,Hours,Nimbus,eu-north-1,vm/7f3a,Compute,Virtual Machines,SKU-VM-2-8,"{""env"":""prod"",""team"":""core""}"',
  '12.3456789,5520-0077,Beta GmbH,USD,2025-11-01T00:00:00Z,2025-10-01T00:00:00Z,Usage,,"Object storage, per GiB-month",Usage-Based,2025-10-02T00:00:00Z,2025-10-01T00:00:00Z,536.76864783,GiB-Months,0.023,12.3456789,0.023,536.76864783,GiB-Months,Nimbus,eu-west-2,bucket/logs,Storage,Object Storage,SKU-ST-STD,',
  '-1.50,5520-0077,Beta GmbH,USD,2025-11-01T00:00:00Z,2025-10-01T00:00:00Z,Credit,Correction,Goodwill,One-Time,2025-10-31T00:00:00Z,2025-10-30T00:00:00Z,-1,Credits,1.5,-1.50,,-1,Credits,Nimbus,,credit/1,Other,Support,SKU-CR,null',
  '',
].join('\r\n')

const COLUMNS = [
  'customer_id:BillingAccountId',
  'customer_name:BillingAccountName',
  'event_type:ServiceName',
  'event_date:ChargePeriodStart',
  'quantity:ConsumedQuantity',
  'unit_price:ContractedUnitPrice',
].join(',')

test('a cloud bill in the FOCUS format is read by naming its columns, and is the same bill when it comes again', async () => {
  const client = await api.addClient()
  const query = `event_id=derive&columns=${encodeURIComponent(COLUMNS)}`
  const upload = await client.upload(BILL, query)
  expect(upload).toMatchObject({ rows: 4, accepted: 4, rejected: 0 })

  const events = await client.events('customer_id=5520-0077')
  expect(events).toMatchObject([
    {
      event_type: 'Object Storage',
      event_date: expect.stringMatching(/^2025-10-01T00:00:00/) as unknown,
      quantity: '536.76864783',
      unit_price: '0.023',
      properties: { BilledCost: '12.3456789', RegionId: 'eu-west-2', ConsumedUnit: 'GiB-Months' },
    },
    { event_type: 'Support', quantity: '-1', unit_price: '1.5', properties: { Tags: 'null' } },
  ])
  // What the bill has mapped is no property as well; an empty cell is none.
  expect(Object.keys(events[1]!.properties)).not.toEqual(
    expect.arrayContaining(['RegionId', 'ConsumedQuantity']),
  )
  const machines = await client.events('customer_id=8842-1190')
  expect(machines.map(({ properties }) => properties['Tags'])).toEqual([
    '{"env":"prod","team":"core"}',
    '{"env":"prod","team":"core"}',
  ])
  const { rows } = await api
    .owner()
    .query('select id, name from customers where organization_id = $1 order by id', [
      client.organizationId,
    ])
  expect(rows).toEqual([
    { id: '5520-0077', name: 'Beta GmbH' },
    { id: '8842-1190', name: 'Acme, Inc.' },
  ])
  expect(await client.upload(BILL, query)).toMatchObject({ accepted: 0, duplicates: 4 })
})

test('a column of the bill can be the id of its rows', async () => {
  const columns = COLUMNS.replace('customer_id:BillingAccountId', 'customer_id:billingaccountid')
  const query = `columns=${encodeURIComponent(`${columns},event_id:ResourceId`)}`
  const client = await api.addClient()
  const upload = await client.upload(BILL, query)
  // The second hour of one machine is another value under the same id, and is shown as such.
  expect(upload).toMatchObject({ rows: 4, accepted: 3, conflicts: 1 })
  expect(await client.conflicts(upload)).toMatchObject([
    { line: 3, event_id: 'vm/7f3a', stored: { line: 2, quantity: '1' }, sent: { quantity: '2' } },
  ])
})

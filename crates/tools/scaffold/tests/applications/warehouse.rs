//! Put into the drafted crate `warehouse-tables`: values of every type go into the database and come back.

use serde_json::json;
use sqlx::PgPool;
use sqlx::postgres::types::PgInterval;
use warehouse_tables::domain::{
    CircleChanges, Circles, NewOrder, NewPoint, NewProduct, NewShelf, NewSite, NewStock,
    OrderChanges, Orders, Page, Points, ProductChanges, Products, ShelfChanges, Shelves,
    SiteChanges, Sites, State, Stocks, StorageError,
};
use warehouse_tables::postgres::Postgres;

const PAGE: Page = Page { skip: 0, limit: 10 };

async fn storage() -> Postgres {
    dotenvy::dotenv().unwrap();
    let pool = PgPool::connect(&std::env::var("DATABASE_URL").unwrap()).await.unwrap();
    for table in ["stock", "\"order\"", "point", "circle", "shelf", "product", "site"] {
        sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM {table}"))).execute(&pool).await.unwrap();
    }
    Postgres::new(pool)
}

#[tokio::test]
async fn every_type_is_written_read_and_changed() {
    let storage = storage().await;
    storage.migrate().await.unwrap(); // a second time: nothing happens
    let new = NewSite {
        code: "north".into(),
        opens: Some("07:30:00".parse().unwrap()),
        host: Some("10.0.0.1".into()),
        created_at: None,
        updated_at: None,
    };
    let site = storage.create_site(&new).await.unwrap();
    assert_eq!((site.code.as_str(), site.opens, site.updated_at), ("north", new.opens, None));
    assert_eq!(site.host.as_deref(), Some("10.0.0.1/32"));
    assert_eq!(storage.site_by_code("north").await.unwrap().as_ref(), Some(&site));
    let changes = SiteChanges { host: Some(Some("10.0.0.2".into())), ..SiteChanges::default() };
    let changed = storage.update_site(site.id, &changes).await.unwrap().unwrap();
    assert_eq!(changed.host.as_deref(), Some("10.0.0.2/32"));
    assert_eq!(changed.opens, site.opens, "what is not given stays");
    let changes = SiteChanges { opens: Some(None), ..SiteChanges::default() };
    assert_eq!(storage.update_site(site.id, &changes).await.unwrap().unwrap().opens, None);
    assert!(matches!(storage.create_site(&new).await, Err(StorageError::Conflict(_))));

    let product = NewProduct {
        vendor: "acme".into(),
        sku: "1".into(),
        name: "anvil".into(),
        price: "10.5".parse().unwrap(),
        featured: None,
        attributes: Some(json!({"color": "red"})),
        photo: Some(vec![0, 255]),
        shelf_life: Some(PgInterval { months: 1, days: 2, microseconds: 3 }),
        id: None,
        created_at: None,
        updated_at: None,
    };
    let stored = storage.create_product(&product).await.unwrap();
    assert_eq!(stored.gross.to_string(), "12.4950", "the database computes it");
    assert_eq!((stored.featured, &stored.photo), (false, &product.photo));
    assert_eq!((Some(&stored.attributes), &stored.shelf_life), (product.attributes.as_ref(), &product.shelf_life));
    let found = storage.product_by_vendor_and_sku("acme", "1").await.unwrap();
    assert_eq!(found, Some(stored.clone()));
    let changes = ProductChanges {
        attributes: Some(json!([])),
        photo: Some(None),
        shelf_life: Some(None),
        ..ProductChanges::default()
    };
    let changed = storage.update_product(stored.id, &changes).await.unwrap().unwrap();
    assert_eq!((changed.attributes, changed.photo, changed.shelf_life), (json!([]), None, None));
    let refused = NewProduct { price: "-1".parse().unwrap(), sku: "2".into(), ..product };
    assert!(matches!(storage.create_product(&refused).await, Err(StorageError::Refused(_))));

    let shelf = NewShelf {
        site_id: site.id,
        aisle: "A".into(),
        position: 3,
        labels: Some(vec!["a".into(), "b".into()]),
        max_load: Some(1.5),
    };
    let shelf = storage.create_shelf(&shelf).await.unwrap();
    assert_eq!(shelf.labels, ["a", "b"]);
    let changes = ShelfChanges { labels: Some(Vec::new()), ..ShelfChanges::default() };
    let changed = storage.update_shelf(site.id, "A", 3, &changes).await.unwrap().unwrap();
    assert_eq!((changed.labels.len(), changed.max_load), (0, Some(1.5)));
    assert_eq!(storage.shelves_of_site(&site, PAGE).await.unwrap(), [changed.clone()]);
    let stock = NewStock {
        product_id: stored.id,
        shelf_site: site.id,
        aisle: "A".into(),
        position: 3,
        amount: 7,
        site_id: site.id,
    };
    let stock = storage.create_stock(&stock).await.unwrap();
    assert_eq!(storage.shelf_of_stock(&stock).await.unwrap(), Some(changed.clone()));
    assert_eq!(storage.stock_of_shelf(&changed, PAGE).await.unwrap(), [stock.clone()]);
    let by_key = storage.stocks_by_shelf_site_and_aisle_and_position(site.id, "A", 3, PAGE).await;
    assert_eq!(by_key.unwrap(), [stock]);

    let order = |replaced_by| NewOrder {
        number: None,
        state: None,
        history: Some(vec![State::Open, State::ShippedOut]),
        priority: "LOW".into(),
        due: Some("2026-02-28".parse().unwrap()),
        placed_at: None,
        replaced_by,
        site_id: site.id,
        created_at: None,
        updated_at: None,
    };
    let first = storage.create_order(&order(None)).await.unwrap();
    assert_eq!((first.state, first.number >= 1000), (State::Open, true));
    assert_eq!(first.history, [State::Open, State::ShippedOut]);
    let second = storage.create_order(&order(Some(first.number))).await.unwrap();
    assert_eq!(storage.replacement_of_order(&second).await.unwrap(), Some(first.clone()));
    assert_eq!(storage.replacement_of_order(&first).await.unwrap(), None);
    let changes = OrderChanges {
        state: Some(State::Picked),
        history: Some(vec![State::Picked]),
        due: Some(None),
        ..OrderChanges::default()
    };
    let changed = storage.update_order(first.number, &changes).await.unwrap().unwrap();
    assert_eq!((changed.state, changed.due), (State::Picked, None));
    assert_eq!(changed.history, [State::Picked]);
    let missing = NewOrder { site_id: -1, ..order(None) };
    let missing = storage.create_order(&missing).await;
    assert!(matches!(missing, Err(StorageError::MissingReference(_))));
    let last = storage.orders(Page { skip: 1, limit: 1 }).await.unwrap();
    assert_eq!(last[0].number, second.number);
    assert_eq!(storage.count_orders().await.unwrap(), 2);
    assert!(storage.delete_order(second.number).await.unwrap());
    assert!(!storage.delete_order(second.number).await.unwrap());

    let circle = storage.create_circle(&warehouse_tables::domain::NewCircle { first_id: None }).await.unwrap();
    let point = storage.create_point(&NewPoint { circle_id: circle.id }).await.unwrap();
    let changes = CircleChanges { first_id: Some(Some(point.id)) };
    let circle = storage.update_circle(circle.id, &changes).await.unwrap().unwrap();
    assert_eq!(storage.first_of_circle(&circle).await.unwrap(), Some(point.clone()));
    assert_eq!(storage.points_of_circle(&circle, PAGE).await.unwrap(), [point]);
}

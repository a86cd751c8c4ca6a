//! A second database, from which lists are read.

use std::time::Duration;

// [with items]
use domain::Item;
// [end]
use storage::{Database, DatabaseUrl, Pool};
use testbed::Postgres;

use crate::{ALL, user};

/// Two databases that know nothing of each other tell where something was read.
#[tokio::test]
async fn lists_come_from_the_replica_and_nothing_else_does() {
    let postgres = Postgres::start().await.unwrap();
    let pool = Pool { size: 2, patience: Duration::from_secs(5) };
    let urls = [postgres.database().await.unwrap(), postgres.database().await.unwrap()];
    let [primary_url, replica_url] = urls.map(|url| url.parse::<DatabaseUrl>().unwrap());
    let alone = |url: &DatabaseUrl| Database::connect(url, None, pool).unwrap();
    for url in [&primary_url, &replica_url] {
        alone(url).migrate().await.unwrap();
    }
    let (primary, replica) =
        (alone(&primary_url).into_storage(), alone(&replica_url).into_storage());
    let both =
        Database::connect(&primary_url, replica_url.postgres(), pool).unwrap().into_storage();

    let user = user(&both).await;
    assert_eq!(primary.user(user.id).await.unwrap().as_ref(), Some(&user), "writes go there");
    assert_eq!(both.user(user.id).await.unwrap().as_ref(), Some(&user));
    assert_eq!(both.users(ALL).await.unwrap(), (Vec::new(), 0), "it has not come yet");
    // [with items]
    let item = Item::new(user.id, "title".into(), None);
    both.create_item(&item).await.unwrap();
    let items = both.items_for(user.id, ALL).await.unwrap().unwrap();
    assert_eq!(items.items, [item], "the replica does not know the caller yet");
    // [end]
    replica.create_user(&user).await.unwrap();
    // [with items]
    assert_eq!(both.items_for(user.id, ALL).await.unwrap().unwrap().count, 0);
    // [end]
    assert_eq!(both.users(ALL).await.unwrap().1, 1);

    let nowhere: DatabaseUrl = "postgresql://postgres@127.0.0.1:9/none".parse().unwrap();
    let without = Database::connect(&primary_url, nowhere.postgres(), pool).unwrap().into_storage();
    assert_eq!(without.users(ALL).await.unwrap().1, 1, "a replica that is away fails nothing");
}

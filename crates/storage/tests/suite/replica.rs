//! A second database, from which lists are read.

// [with items]
use std::sync::Arc;

use domain::{Item, ItemPage, Storage, UserChanges};
// [end]
use storage::{Database, DatabaseUrl};
use testbed::Postgres;
// [with items]
use uuid::Uuid;
// [end]

use crate::{ALL, POOL, user};

/// Two databases that know nothing of each other show where something was read.
#[tokio::test]
async fn lists_come_from_the_replica_and_nothing_else_does() {
    let postgres = Postgres::start().await.unwrap();
    let urls = [postgres.database().await.unwrap(), postgres.database().await.unwrap()];
    let [primary_url, replica_url] = urls.map(|url| url.parse::<DatabaseUrl>().unwrap());
    let alone = |url: &DatabaseUrl| Database::connect(url, None, POOL).unwrap();
    for url in [&primary_url, &replica_url] {
        alone(url).migrate().await.unwrap();
    }
    let (primary, replica) =
        (alone(&primary_url).into_storage(), alone(&replica_url).into_storage());
    let both =
        Database::connect(&primary_url, replica_url.postgres(), POOL).unwrap().into_storage();

    let user = user(&both).await;
    assert_eq!(primary.user(user.id).await.unwrap().as_ref(), Some(&user), "writes go there");
    assert_eq!(both.user(user.id).await.unwrap().as_ref(), Some(&user));
    assert_eq!(both.users(ALL).await.unwrap(), (Vec::new(), 0), "it has not come yet");
    // [with items]
    let item = Item::new(user.id, "title".into(), None);
    both.create_item(item.clone()).await.unwrap().authorized().unwrap();
    let items = listed(&both, user.id).await;
    assert_eq!(items.items, [item], "the replica does not know the caller yet");
    // [end]
    replica.create_user(&user).await.unwrap();
    // [with items]
    assert_eq!(listed(&both, user.id).await.count, 0);
    // [end]
    assert_eq!(both.users(ALL).await.unwrap().1, 1);

    // [with items]
    // A superuser that the replica knows, and the primary knows no more as one.
    let changes = |is_superuser| UserChanges { is_superuser, ..UserChanges::default() };
    replica.update_user(user.id, &changes(Some(true))).await.unwrap();
    let other = self::user(&replica).await;
    let of_other = Item::new(other.id, "of another".into(), None);
    replica.create_item(of_other).await.unwrap().authorized().unwrap();
    assert_eq!(listed(&both, user.id).await.items, [], "what others have is not listed");
    primary.update_user(user.id, &changes(Some(true))).await.unwrap();
    assert_eq!(listed(&both, user.id).await.count, 1);
    // [end]

    let nowhere: DatabaseUrl = "postgresql://postgres@127.0.0.1:9/none".parse().unwrap();
    let without = Database::connect(&primary_url, nowhere.postgres(), POOL).unwrap().into_storage();
    let (_, count) = without.users(ALL).await.unwrap();
    assert!(count >= 1, "a replica that is unavailable fails nothing");
}

// [with items]
async fn listed(storage: &Arc<dyn Storage>, caller: Uuid) -> ItemPage {
    storage.items_for(caller, ALL).await.unwrap().authorized().unwrap()
}
// [end]
